#include "nucdet/mpi/mpi_ranks.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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
    came_ = made_ = Clock::now();
  }
  /// Unless something was broken off or is under way: then the others are not at the end of MPI. They come together
  /// first, with patience, since MPI's own calls have none.
  void end() {
    if (broken_ || !means_->ended()) return;
    std::vector<char> all(static_cast<std::size_t>(count_));
    gather("e", 1, all.data());
    means_->free();
    MPI_Finalize();
  }

  int rank() const { return rank_; }
  int count() const { return count_; }

  std::chrono::milliseconds patience() const {
    const auto of_start = std::chrono::ceil<std::chrono::milliseconds>(made_ + settings_.start - Clock::now());
    return std::max<std::chrono::milliseconds>(settings_.patience, of_start);
  }

  /// Each rank's bytes travel behind the time for which it was at work.
  void gather(const void* mine, std::size_t bytes, void* all) {
    arrive();
    MPI_Request request = MPI_REQUEST_NULL;
    const std::size_t each = sizeof(float) + bytes;
    const float work = seconds(work_);
    const int size = count_of(each, "gather");
    mine_.resize(each), all_.resize(each * static_cast<std::size_t>(count_));
    std::memcpy(mine_.data(), &work, sizeof work);
    std::copy_n(static_cast<const std::byte*>(mine), bytes, mine_.data() + sizeof work);
    check(MPI_Iallgather(mine_.data(), size, MPI_BYTE, all_.data(), size, MPI_BYTE, MPI_COMM_WORLD, &request),
          "MPI_Iallgather");
    wait([&] { return tested(request); });
    float longest = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(count_); ++r) {
      float of_rank = 0;
      std::memcpy(&of_rank, all_.data() + r * each, sizeof of_rank);
      longest = std::max(longest, of_rank);
      std::copy_n(all_.data() + r * each + sizeof of_rank, bytes, static_cast<std::byte*>(all) + r * bytes);
    }
    remember(longest), work_ = {};
    leave();
  }

  void begin_mean(std::span<float> numbers, std::size_t final_from) {
    enter();
    means_->begin(numbers, final_from);
    broken_ = false;
  }
  void abandon_mean() noexcept { broken_ = broken_ || !means_->ended(); }
  void mean(std::span<float> numbers) {
    arrive();
    means_->begin(numbers, 0);
    while (means_->left() > 0) {
      const std::size_t left = means_->left();
      wait([&] { return means_->left() < left; });
    }
    means_->end();
    leave();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kRemembered = 100;  ///< gathers

  static float seconds(Clock::duration time) { return std::chrono::duration<float>(time).count(); }

  /// What an error breaks off stays half done: whoever goes on would take its numbers for those of the next call.
  void enter() {
    if (broken_) throw RanksError(message("rank ", rank_, ": an exchange was broken off by an earlier error"));
    broken_ = true;
  }
  /// Notes how long this rank was at work since it last met the others.
  void arrive() {
    enter();
    work_ = std::max(work_, Clock::now() - came_);
  }
  void leave() { broken_ = false, came_ = Clock::now(); }

  /// What was longest is forgotten after a while: a stall of an hour must not be the measure of all that comes later.
  void remember(float longest) {
    if (gathers_++ % kRemembered == 0) longest_ = {longest_[1], 0};
    longest_[1] = std::max(longest_[1], longest);
  }

  /// Until it is done; means that are under way go on meanwhile.
  template <class Done>
  void wait(const Done& done) {
    const float longest = std::max({longest_[0], longest_[1], seconds(work_)});
    const auto limit = patience() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<float>(longest));
    for (Patience patience(limit); !done();) {
      means_->advance();
      if (!patience.lasts())
        throw RanksError(message("rank ", rank_, " waited ", patience.seconds(),
                                 " s for the others, the longest work of any rank took ", longest,
                                 " s of late: one of them hangs or has ended"));
    }
  }

  MpiSettings settings_;
  int rank_ = 0, count_ = 1;
  std::optional<Means> means_;  ///< made when MPI has begun
  /// What a gather works on. Not the caller's memory, which is gone after an error while the others may still read it.
  std::vector<std::byte> mine_, all_;
  bool broken_ = false;            ///< within a call, and after one that threw
  Clock::time_point made_, came_;  ///< the ranks; from the last exchange
  Clock::duration work_{};         ///< the longest of this rank's own since the last gather
  std::array<float, 2>
      longest_{};  ///< seconds, of any rank: in the last hundred gathers that are full, and in those since
  std::size_t gathers_ = 0;
};

MpiRanks::MpiRanks(const MpiSettings& settings) : state_(std::make_unique<State>(settings)) {}

MpiRanks::~MpiRanks() {
  if (std::uncaught_exceptions() > 0) return;  // after an error the others may never come to the end of MPI
  try {
    state_->end();
  } catch (const RanksError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    abort(1);
  }
}

Index MpiRanks::rank() const { return state_->rank(); }
Index MpiRanks::count() const { return state_->count(); }
void MpiRanks::gather(const void* mine, std::size_t bytes, void* all) { state_->gather(mine, bytes, all); }
void MpiRanks::mean(std::span<float> numbers) { state_->mean(numbers); }
void MpiRanks::begin_mean(std::span<float> numbers, std::size_t final_from) { state_->begin_mean(numbers, final_from); }
void MpiRanks::abandon_mean() noexcept { state_->abandon_mean(); }
std::chrono::milliseconds MpiRanks::patience() const { return state_->patience(); }

void MpiRanks::abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace nucdet::mpi
