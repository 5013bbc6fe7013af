#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "nucdet/core/ranks.hpp"

#include "nccl_api.hpp"

namespace nucdet::cuda {

/// Numbers in device memory that go to a rank, or come from it; one at least.
struct NcclPiece {
  float* numbers;
  std::size_t count;
  int rank;
};

/// One rank's end of a communicator of NCCL. It never blocks the host: what is under way is polled for, with the
/// patience of Ranks. Any failure, and a rank that does not answer, ends this end of it and is a RanksError.
class NcclCommunicator {
 public:
  /// All ranks come, each with its device selected.
  NcclCommunicator(const NcclApi& api, Ranks& ranks);
  ~NcclCommunicator();
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  /// Queues an exchange on the stream. Pieces of two ranks meet in the order in which each names them.
  void exchange(const char* what, std::span<const NcclPiece> out, std::span<const NcclPiece> in, cudaStream_t stream);
  /// Returns once NCCL is at rest and `done` says so too.
  void wait(const char* what, const std::function<bool()>& done);

 private:
  void check(NcclResult result, const char* what);
  [[noreturn]] void lose(const std::string& why);
  bool finalized() noexcept;

  const NcclApi& api_;
  const Ranks& ranks_;
  NcclComm comm_ = nullptr;  ///< null after a failure
};

}  // namespace nucdet::cuda
