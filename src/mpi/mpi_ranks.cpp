#include "nucdet/mpi/mpi_ranks.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <exception>
#include <limits>
#include <thread>
#include <vector>

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

namespace nucdet::mpi {

namespace {

using Clock = std::chrono::steady_clock;

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw RanksError(message(what, ": ", std::string_view(text, static_cast<std::size_t>(length))));
}

int count_of(std::size_t size, const char* what) {
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw RanksError(message(what, ": ", size, " at a time, MPI takes ", std::numeric_limits<int>::max()));
  return static_cast<int>(size);
}

}  // namespace

bool launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"})
    if (const char* size = std::getenv(name); size != nullptr && std::atoi(size) > 1) return true;
  // srun --mpi=pmix says how many there are by the step's tasks.
  const char *pmix = std::getenv("PMIX_RANK"), *tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  return pmix != nullptr && tasks != nullptr && std::atoi(tasks) > 1;
}

class MpiRanks::State {
 public:
  explicit State(const MpiSettings& settings) : settings_(settings) {
    int begun = 0, provided = 0;
    MPI_Initialized(&begun);
    if (begun == 0) check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &count_), "MPI_Comm_size");
    came_ = Clock::now();
  }

  int rank() const { return rank_; }
  int count() const { return count_; }

  void gather(const void* mine, std::size_t bytes, void* all) {
    arrive();
    MPI_Request request = MPI_REQUEST_NULL;
    const int size = count_of(bytes, "gather");
    check(MPI_Iallgather(mine, size, MPI_BYTE, all, size, MPI_BYTE, MPI_COMM_WORLD, &request), "MPI_Iallgather");
    wait(request);
    came_ = Clock::now();
  }

  /// Buckets are under way together: while one is added up, the next ones travel.
  void mean(std::span<float> numbers) {
    arrive();
    std::deque<Bucket> buckets;
    for (std::size_t first = 0; first < numbers.size(); first += settings_.bucket)
      begin(buckets.emplace_back(), numbers.subspan(first, std::min(settings_.bucket, numbers.size() - first)));
    for (Bucket& bucket : buckets) add_up(bucket);
    for (Bucket& bucket : buckets) {
      wait(bucket.request);
      std::copy_n(bucket.whole.begin(), bucket.numbers.size(), bucket.numbers.begin());
    }
    came_ = Clock::now();
  }

 private:
  /// Numbers on their way: to the ranks that add them, then back.
  struct Bucket {
    std::span<float> numbers;
    std::vector<float> whole, parts, mine;  ///< padded to equal parts; this rank's part of everybody's; its means
    MPI_Request request = MPI_REQUEST_NULL;
  };

  void begin(Bucket& bucket, std::span<float> numbers) const {
    const std::size_t ranks = static_cast<std::size_t>(count_), part = (numbers.size() + ranks - 1) / ranks;
    bucket.numbers = numbers;
    bucket.whole.assign(numbers.begin(), numbers.end());
    bucket.whole.resize(part * ranks);
    bucket.parts.resize(part * ranks);
    const int size = count_of(part, "mean");
    check(MPI_Ialltoall(bucket.whole.data(), size, MPI_FLOAT, bucket.parts.data(), size, MPI_FLOAT, MPI_COMM_WORLD,
                        &bucket.request),
          "MPI_Ialltoall");
  }
  void add_up(Bucket& bucket) const {
    wait(bucket.request);
    const std::size_t ranks = static_cast<std::size_t>(count_), part = bucket.parts.size() / ranks;
    bucket.mine.resize(part);
    for (std::size_t i = 0; i < part; ++i) {
      double sum = 0;
      for (std::size_t r = 0; r < ranks; ++r) sum += static_cast<double>(bucket.parts[r * part + i]);
      bucket.mine[i] = static_cast<float>(sum / static_cast<double>(ranks));
    }
    const int size = count_of(part, "mean");
    check(MPI_Iallgather(bucket.mine.data(), size, MPI_FLOAT, bucket.whole.data(), size, MPI_FLOAT, MPI_COMM_WORLD,
                         &bucket.request),
          "MPI_Iallgather");
  }

  /// Notes how long this rank was at work since it last met the others: they may take as long.
  void arrive() { longest_ = std::max(longest_, Clock::now() - came_); }

  void wait(MPI_Request& request) const {
    const Clock::time_point begin = Clock::now();
    const Clock::duration limit = settings_.patience + longest_;
    for (int done = 0, turns = 0;; ++turns) {
      check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
      if (done != 0) return;
      const Clock::duration waited = Clock::now() - begin;
      if (waited > limit)
        throw RanksError(message("rank ", rank_, " waited ", std::chrono::duration<double>(waited).count(),
                                 " s for the others, its own longest step took ",
                                 std::chrono::duration<double>(longest_).count(),
                                 " s: one of them hangs or has ended"));
      if (waited > std::chrono::milliseconds(20))
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      else if (turns > 200)
        std::this_thread::yield();
    }
  }

  MpiSettings settings_;
  int rank_ = 0, count_ = 1;
  Clock::time_point came_;
  Clock::duration longest_{};
};

MpiRanks::MpiRanks(const MpiSettings& settings) : state_(std::make_unique<State>(settings)) {}

MpiRanks::~MpiRanks() {
  // After an error the others may never come to the end of MPI.
  if (std::uncaught_exceptions() == 0) MPI_Finalize();
}

Index MpiRanks::rank() const { return state_->rank(); }
Index MpiRanks::count() const { return state_->count(); }
void MpiRanks::gather(const void* mine, std::size_t bytes, void* all) { state_->gather(mine, bytes, all); }
void MpiRanks::mean(std::span<float> numbers) { state_->mean(numbers); }

void MpiRanks::abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace nucdet::mpi
