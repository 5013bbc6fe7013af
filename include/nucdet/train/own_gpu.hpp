#pragma once
#include <optional>

#include "nucdet/core/context.hpp"
#include "nucdet/core/ranks.hpp"

#ifdef NUCDET_WITH_CUDA
namespace nucdet::train {

/// The number of the GPU that is this rank's alone. Ranks choose in their order, each the first that it sees and that
/// no rank before it has; GPUs are known by their UUIDs, so that it does not matter whether a launcher shows each rank
/// all GPUs of a machine or one. None where no rank sees a GPU. Throws CudaError on all ranks, naming the rank, where
/// one finds none and others do. there: what this rank sees.
std::optional<int> own_gpu(Ranks& ranks, const cuda::Availability& there);

}  // namespace nucdet::train
#endif
