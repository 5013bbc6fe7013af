/// Run by mpirun: that MPI's ranks gather and average as Ranks promises.
/// mpirun -n N test_mpi_ranks [BUCKET | hang | hang-halfway]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
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

/// Of three ranks or more every fifth gives another sum in another order, in double too.
float value_of(Index rank, std::size_t i) {
  constexpr float kLarge[] = {1e20f, 1.0f, -1e20f};
  if (i % 5 == 0) return kLarge[rank % 3];
  return 0.37f * static_cast<float>(rank + 1) + 1e-3f * static_cast<float>(i % 1001);
}

void check_same(const Ranks& ranks, const std::vector<float>& numbers, const char* what) {
  bool same = true;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    double sum = 0;
    for (Index r = 0; r < ranks.count(); ++r) sum += static_cast<double>(value_of(r, i));
    same = same && numbers[i] == static_cast<float>(sum / static_cast<double>(ranks.count()));
  }
  check(same, what);
}

/// Of more than one bucket, of a number that is no multiple of the ranks.
void check_means(Ranks& ranks, std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = value_of(ranks.rank(), i);
  ranks.mean(numbers);
  check_same(ranks, numbers, "means in the order of ranks, to the bit");
}

/// As a backward pass has it: numbers come from the last to the first, between gathers, of ranks that are late in
/// turns.
void check_early_means(Ranks& ranks, std::size_t count) {
  std::vector<float> numbers(count);
  Index step = 0;
  for (std::size_t from = count; from > 0; ++step) {
    if (step % 8 == 2 * ranks.rank()) std::this_thread::sleep_for(std::chrono::milliseconds(15));
    const std::size_t next = from - std::min(from, static_cast<std::size_t>(1 + step * 37 % 300));
    for (; from > next; --from) numbers[from - 1] = value_of(ranks.rank(), from - 1);
    ranks.begin_mean(numbers, from);
    if (step % 3 != 0) continue;
    const std::vector<Index> steps = gathered(ranks, step);
    check(std::count(steps.begin(), steps.end(), step) == ranks.count(), "a gather between means that are under way");
  }
  ranks.begin_mean(numbers, 0);  // nothing is new
  ranks.mean(numbers);
  check_same(ranks, numbers, "means that began before all numbers were there, to the bit");
}

/// The last rank does not come, to a gather or to the rest of a mean: the others say so.
int hang(bool halfway) {
  mpi::MpiRanks ranks({.patience = std::chrono::seconds(2), .bucket = 100});
  gathered(ranks, 1);
  std::vector<float> numbers(1000, 1.0f);
  if (halfway) ranks.begin_mean(numbers, 450);
  if (ranks.rank() == ranks.count() - 1) std::this_thread::sleep_for(std::chrono::seconds(60));
  try {
    if (halfway)
      ranks.mean(numbers);
    else
      gathered(ranks, 2);
  } catch (const RanksError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ranks.abort(7);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "1000";
  if (how == "hang" || how == "hang-halfway") return hang(how == "hang-halfway");
  mpi::MpiRanks ranks({.bucket = static_cast<std::size_t>(std::atoll(how.c_str()))});
  for (const std::size_t count : {std::size_t(0), std::size_t(1), std::size_t(999), std::size_t(4321)})
    check_means(ranks, count), check_early_means(ranks, count);
  const std::vector<Index> all = gathered(ranks, ranks.rank());
  for (Index r = 0; r < ranks.count(); ++r) check(all[static_cast<std::size_t>(r)] == r, "everybody's, in order");
  if (ranks.rank() == 0 && failures == 0) std::printf("%d ranks agree\n", static_cast<int>(ranks.count()));
  return failures == 0 ? 0 : 1;
}
