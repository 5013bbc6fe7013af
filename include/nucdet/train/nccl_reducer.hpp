#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "nucdet/core/context.hpp"
#include "nucdet/core/ranks.hpp"
#include "nucdet/train/reducer.hpp"

/// Training on several GPUs, one a rank, whose gradients NCCL takes from one to the other. Needs no header of NCCL's;
/// nucdet::cuda holds the bodies, and loads NCCL when it is first asked for.
#ifdef NUCDET_WITH_CUDA
namespace nucdet::train {

/// Several processes with a GPU each. Sums are our own, in the order of ranks: each rank gets everybody's numbers of
/// its part, adds them and passes the means round, so that bits depend neither on timing nor on NCCL's algorithms, and
/// are those of numbers that pass through the hosts' memory by mpi::MpiRanks. Works in the memory of the context: as
/// much again as a rank's numbers. An exchange that all ranks have come to may take as long as Ranks::patience says.
class NcclReducer {
 public:
  /// All ranks come, each with a context on a GPU of its own. Throws CudaError with the reason of `why_not`, RanksError
  /// where they do not find each other. The ranks must outlive it.
  NcclReducer(Context<Cuda>& context, Ranks& ranks);
  ~NcclReducer();
  NcclReducer(NcclReducer&&) noexcept;

  Ranks* ranks() const;
  /// Waits until the means are there. numbers: in the memory of the context it was made with, as many on each rank.
  /// Throws RanksError; after that it is of no more use.
  void mean(Context<Cuda>& context, std::span<float> numbers);

  /// Why NCCL cannot serve these ranks: it is missing or another one somewhere, or two of them share a GPU. All ranks
  /// ask together and get the same answer; empty if it can.
  static std::string why_not(Context<Cuda>& context, Ranks& ranks);

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// By NCCL where it can serve the ranks, else through their hosts' memory; to the same bits. Null: one alone.
class AmongGpus {
 public:
  AmongGpus(Context<Cuda>& context, Ranks* ranks) : by_host_{ranks} {
    if (ranks == nullptr) return;
    const std::string why = NcclReducer::why_not(context, *ranks);
    if (why.empty())
      by_nccl_.emplace(context, *ranks);
    else
      note_ = "gradients pass through the hosts' memory: " + why;
  }
  Ranks* ranks() const { return by_host_.ranks(); }
  void mean(Context<Cuda>& context, std::span<float> numbers) {
    if (by_nccl_)
      by_nccl_->mean(context, numbers);
    else
      by_host_.mean(context, numbers);
  }
  /// Why it is not done by NCCL; empty if it is.
  const std::string& note() const { return note_; }

 private:
  AmongRanks by_host_;
  std::optional<NcclReducer> by_nccl_;
  std::string note_;
};

}  // namespace nucdet::train
#endif
