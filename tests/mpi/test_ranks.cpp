/// Run by mpirun: that MPI's ranks gather and average as Ranks promises.
/// mpirun -n N test_mpi_ranks [BUCKET | hang | hang-halfway | hang-at-end | uneven | abandoned]
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

void last_sleeps(const Ranks& ranks, int seconds) {
  if (ranks.rank() == ranks.count() - 1) std::this_thread::sleep_for(std::chrono::seconds(seconds));
}

constexpr mpi::MpiSettings kHasty{.patience = std::chrono::seconds(2), .start = std::chrono::seconds(0), .bucket = 100};

/// The last rank does not come, to a gather, to the rest of a mean or to the end of MPI: the others say so.
int hang(const std::string& how) {
  mpi::MpiRanks ranks(kHasty);
  gathered(ranks, 1);
  std::vector<float> numbers(1000, 1.0f);
  if (how == "hang-halfway") ranks.begin_mean(numbers, 450);
  last_sleeps(ranks, 60);
  if (how == "hang-at-end") return 0;
  try {
    if (how == "hang-halfway")
      ranks.mean(numbers);
    else
      gathered(ranks, 2);
  } catch (const RanksError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ranks.abort(7);
  }
  return 0;
}

/// The last rank is late by more than the patience: at the start, and where it was so before; a while later no more.
int uneven() {
  mpi::MpiSettings settings = kHasty;
  settings.start = std::chrono::seconds(5);
  mpi::MpiRanks ranks(settings);
  for (int turn = 0; turn < 2; ++turn) {
    last_sleeps(ranks, 3);
    gathered(ranks, turn);
  }
  for (int i = 0; i < 200; ++i) gathered(ranks, i);
  last_sleeps(ranks, 60);
  const auto begin = std::chrono::steady_clock::now();
  try {
    gathered(ranks, 0);
  } catch (const RanksError&) {
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    std::fprintf(stderr, "%s after %.1f s\n", waited.count() < 4.5 ? "noticed in time" : "FAILED: noticed",
                 waited.count());
    ranks.abort(7);
  }
  return 0;
}

template <class Call>
void check_refused(const Call& call, const char* what) {
  bool refused = false;
  try {
    call();
  } catch (const RanksError&) { refused = true; }
  check(refused, what);
}

/// A mean that was begun and will not be asked for, since what makes its numbers has failed on all ranks.
int abandoned() {
  mpi::MpiRanks ranks(kHasty);
  std::vector<float> numbers(1000, 1.0f);
  ranks.abandon_mean();  // there is none
  ranks.mean(numbers);
  ranks.begin_mean(numbers, 450);
  ranks.abandon_mean();
  check_refused([&] { gathered(ranks, 1); }, "a gather after a mean that was abandoned");
  check_refused([&] { ranks.begin_mean(numbers, 450); }, "a mean that begins after one that was abandoned");
  check_refused([&] { ranks.mean(numbers); }, "a mean after one that was abandoned");
  std::fprintf(stderr, failures == 0 ? "refused\n" : "FAILED\n");
  std::this_thread::sleep_for(std::chrono::seconds(1));  // the others say the same first
  ranks.abort(failures == 0 ? 7 : 1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "1000";
  if (how.starts_with("hang")) return hang(how);
  if (how == "uneven") return uneven();
  if (how == "abandoned") return abandoned();
  mpi::MpiRanks ranks({.bucket = static_cast<std::size_t>(std::atoll(how.c_str()))});
  for (const std::size_t count : {std::size_t(0), std::size_t(1), std::size_t(999), std::size_t(4321)})
    check_means(ranks, count), check_early_means(ranks, count);
  const std::vector<Index> all = gathered(ranks, ranks.rank());
  for (Index r = 0; r < ranks.count(); ++r) check(all[static_cast<std::size_t>(r)] == r, "everybody's, in order");
  if (ranks.rank() == 0 && failures == 0) std::printf("%d ranks agree\n", static_cast<int>(ranks.count()));
  return failures == 0 ? 0 : 1;
}
