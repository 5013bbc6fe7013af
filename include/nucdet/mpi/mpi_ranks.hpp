#pragma once
#include <chrono>
#include <memory>

#include "nucdet/core/ranks.hpp"

/// Training by several processes that an MPI 3 implementation has started. Needs no header of MPI's.
namespace nucdet::mpi {

/// Whether this process is one of several that mpirun, mpiexec or srun --mpi has started; asks the environment alone.
bool launched();

struct MpiSettings {
  /// How long another rank may take before it counts as lost, beyond the longest that any rank was at work of late:
  /// between two exchanges, the last 100 to 200 of them.
  std::chrono::seconds patience{60};
  /// Nobody counts as lost this soon after the ranks were made: what comes first, reading data, say, may take one rank
  /// much longer than another, and nothing is known of it yet.
  std::chrono::seconds start{600};
  std::size_t bucket = std::size_t(1) << 18;  ///< numbers that are exchanged at a time
};

/// The processes of MPI_COMM_WORLD. Begins MPI (MPI_Init) and, unless an exception is under way, ends it: one object a
/// program. Calls come from the thread that made it. After a call that threw all others throw RanksError. Where the
/// others do not come to the end, it says so on stderr and ends all ranks with exit code 1.
///
/// Sums are our own, in the order of ranks: each rank adds its part of the numbers and passes the means round, so that
/// bits depend neither on timing nor on the implementation's algorithms, nor on the buckets. Waiting, it gives its
/// processor away. A mean that has begun goes on in every call, since MPI does little between its calls.
class MpiRanks final : public Ranks {
 public:
  explicit MpiRanks(const MpiSettings& settings = {});
  ~MpiRanks() override;

  Index rank() const override;
  Index count() const override;
  void gather(const void* mine, std::size_t bytes, void* all) override;
  void mean(std::span<float> numbers) override;
  void begin_mean(std::span<float> numbers, std::size_t final_from) override;
  void abandon_mean() noexcept override;
  std::chrono::milliseconds patience() const override;

  /// Ends all ranks (MPI_Abort) with this exit code.
  [[noreturn]] void abort(int code);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace nucdet::mpi
