#include "nucdet/mpi/mpi_ranks.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <optional>
#include <vector>

#include "nucdet/core/patience.hpp"

#include "calls.hpp"
#include "means.hpp"

namespace nucdet::mpi {

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
    if (settings.bucket == 0) throw ArgumentError("MpiSettings: bucket is 0, must be > 0");
    int begun = 0, provided = 0;
    MPI_Initialized(&begun);
    if (begun == 0) check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &count_), "MPI_Comm_size");
    means_.emplace(MPI_COMM_WORLD, settings.bucket);
    came_ = Clock::now();
  }
  /// Unless something is still under way: then the others are not at the end of MPI.
  void end() {
    if (!means_->ended()) return;
    means_->free();
    MPI_Finalize();
  }

  int rank() const { return rank_; }
  int count() const { return count_; }

  void gather(const void* mine, std::size_t bytes, void* all) {
    arrive();
    MPI_Request request = MPI_REQUEST_NULL;
    const int size = count_of(bytes, "gather");
    const auto* const from = static_cast<const std::byte*>(mine);
    mine_.assign(from, from + bytes), all_.resize(bytes * static_cast<std::size_t>(count_));
    check(MPI_Iallgather(mine_.data(), size, MPI_BYTE, all_.data(), size, MPI_BYTE, MPI_COMM_WORLD, &request),
          "MPI_Iallgather");
    wait([&] { return tested(request); });
    std::copy(all_.begin(), all_.end(), static_cast<std::byte*>(all));
    came_ = Clock::now();
  }

  void begin_mean(std::span<float> numbers, std::size_t final_from) { means_->begin(numbers, final_from); }
  void mean(std::span<float> numbers) {
    arrive();
    means_->begin(numbers, 0);
    while (means_->left() > 0) {
      const std::size_t left = means_->left();
      wait([&] { return means_->left() < left; });
    }
    means_->end();
    came_ = Clock::now();
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// Notes how long this rank was at work since it last met the others: they may take as long.
  void arrive() { longest_ = std::max(longest_, Clock::now() - came_); }

  /// Until it is done; means that are under way go on meanwhile.
  template <class Done>
  void wait(const Done& done) {
    for (Patience patience(settings_.patience + longest_); !done();) {
      means_->advance();
      if (!patience.lasts())
        throw RanksError(
            message("rank ", rank_, " waited ", patience.seconds(), " s for the others, its own longest step took ",
                    std::chrono::duration<double>(longest_).count(), " s: one of them hangs or has ended"));
    }
  }

  MpiSettings settings_;
  int rank_ = 0, count_ = 1;
  std::optional<Means> means_;  ///< made when MPI has begun
  /// What a gather works on. Not the caller's memory, which is gone after an error while the others may still read it.
  std::vector<std::byte> mine_, all_;
  Clock::time_point came_;
  Clock::duration longest_{};
};

MpiRanks::MpiRanks(const MpiSettings& settings) : state_(std::make_unique<State>(settings)) {}

MpiRanks::~MpiRanks() {
  // After an error the others may never come to the end of MPI.
  if (std::uncaught_exceptions() == 0) state_->end();
}

Index MpiRanks::rank() const { return state_->rank(); }
Index MpiRanks::count() const { return state_->count(); }
void MpiRanks::gather(const void* mine, std::size_t bytes, void* all) { state_->gather(mine, bytes, all); }
void MpiRanks::mean(std::span<float> numbers) { state_->mean(numbers); }
void MpiRanks::begin_mean(std::span<float> numbers, std::size_t final_from) { state_->begin_mean(numbers, final_from); }

void MpiRanks::abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace nucdet::mpi
