/// That the means of several GPUs are those in the order of ranks, to the bit: one rank alone, or as many as mpirun
/// starts: mpirun -n N test_nccl_ranks. 77: there is no GPU, or NCCL cannot serve these ranks.
#include <cstdio>
#include <optional>
#include <vector>

#include "nucdet/train/nccl_reducer.hpp"
#include "nucdet/train/own_gpu.hpp"
#ifdef NUCDET_WITH_MPI
#include "nucdet/mpi/mpi_ranks.hpp"
#endif

#include "support/thread_ranks.hpp"

using namespace nucdet;

namespace {

int skip(const Ranks& ranks, const std::string& why) {
  if (ranks.rank() == 0) std::printf("SKIPPED: %s\n", why.c_str());
  return 77;
}

int check_means(Ranks& ranks) {
  const cuda::Availability there = cuda::availability();
  const std::optional<int> gpu = train::own_gpu(ranks, there);
  if (!gpu) return skip(ranks, "no CUDA device: " + there.reason);
  Context<Cuda> context({.device = *gpu});
  if (const std::string why = train::NcclReducer::why_not(context, ranks); !why.empty()) return skip(ranks, why);
  train::NcclReducer reducer(context, ranks);
  constexpr std::size_t kCounts[] = {0, 1, 2, 4097, 3'000'001};
  constexpr float kLarge[] = {1e20f, 1.0f, -1e20f};  // of three ranks or more another order gives another sum
  for (const std::size_t count : kCounts) {
    std::vector<float> wanted(count);
    for (std::size_t i = 0; i < count; ++i)
      wanted[i] = i % 5 == 0 ? kLarge[ranks.rank() % 3]
                             : 0.37f * static_cast<float>(ranks.rank() + 1) + 1e-3f * static_cast<float>(i % 1001);
    const DeviceArray<float, Cuda> array(context, wanted.data(), count);
    ranks.mean(wanted);
    reducer.mean(context, std::span(array.data(), count));
    if (array.read(context) == wanted) continue;
    std::fprintf(stderr, "FAILED: rank %d: other means of %zu numbers\n", static_cast<int>(ranks.rank()), count);
    return 1;
  }
  if (ranks.rank() == 0) std::printf("%d ranks agree\n", static_cast<int>(ranks.count()));
  return 0;
}

int guarded(Ranks& ranks) {
  try {
    return check_means(ranks);
  } catch (const Error& error) {
    std::fprintf(stderr, "FAILED: %s\n", error.what());
    return 1;
  }
}

}  // namespace

int main() {
#ifdef NUCDET_WITH_MPI
  if (mpi::launched()) {
    mpi::MpiRanks ranks;
    return guarded(ranks);
  }
#endif
  return nucdet_test::with_ranks(1, guarded)[0];
}
