/// Run by mpirun: that MPI's ranks gather and average as Ranks promises. mpirun -n N test_mpi_ranks [hang]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "nucdet/mpi/mpi_ranks.hpp"

using namespace nucdet;

namespace {

int failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "FAILED: %s\n", what);
  ++failures;
}

float value_of(Index rank, std::size_t i) {
  return 0.37f * static_cast<float>(rank + 1) + 1e-3f * static_cast<float>(i % 1001);
}

/// Of more than one bucket, of a number that is no multiple of the ranks.
void check_means(Ranks& ranks, std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = value_of(ranks.rank(), i);
  ranks.mean(numbers);
  bool same = true;
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (Index r = 0; r < ranks.count(); ++r) sum += static_cast<double>(value_of(r, i));
    same = same && numbers[i] == static_cast<float>(sum / static_cast<double>(ranks.count()));
  }
  check(same, "means in the order of ranks, to the bit");
}

/// The last rank does not come: the others say so.
int hang() {
  mpi::MpiRanks ranks({.patience = std::chrono::seconds(2)});
  gathered(ranks, 1);
  if (ranks.rank() == ranks.count() - 1) std::this_thread::sleep_for(std::chrono::seconds(60));
  try {
    gathered(ranks, 2);
  } catch (const RanksError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ranks.abort(7);
  }
  return 0;
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) return hang();
  mpi::MpiRanks ranks({.bucket = 1000});
  for (const std::size_t count : {std::size_t(0), std::size_t(1), std::size_t(999), std::size_t(4321)})
    check_means(ranks, count);
  const std::vector<Index> all = gathered(ranks, ranks.rank());
  for (Index r = 0; r < ranks.count(); ++r) check(all[static_cast<std::size_t>(r)] == r, "everybody's, in order");
  if (ranks.rank() == 0 && failures == 0) std::printf("%d ranks agree\n", static_cast<int>(ranks.count()));
  return failures == 0 ? 0 : 1;
}
