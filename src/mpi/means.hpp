#pragma once
#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "calls.hpp"

namespace nucdet::mpi {

/// Means over the ranks, exchanged in buckets while the numbers are still being made, from the last to the first.
///
/// A bucket's parts travel to the ranks that add them, then the means come back. The second journey begins when the
/// first is done, which is a matter of timing, and batch norm gathers in between; but all ranks must begin what they do
/// on one communicator in one order. So each journey has a communicator of its own, on which buckets keep their order.
class Means {
 public:
  /// Made by all ranks of a communicator together. bucket: numbers at a time, > 0.
  Means(MPI_Comm ranks, std::size_t bucket) : bucket_(bucket) {
    check(MPI_Comm_size(ranks, &ranks_), "MPI_Comm_size");
    check(MPI_Comm_dup(ranks, &there_), "MPI_Comm_dup");
    check(MPI_Comm_dup(ranks, &back_), "MPI_Comm_dup");
  }
  Means(const Means&) = delete;
  Means& operator=(const Means&) = delete;

  /// Begins the buckets that lie in what is final, from the end; where that begins changes nothing but when. The
  /// numbers are those of one mean until `end`; any call until then may write to them.
  void begin(std::span<float> numbers, std::size_t final_from) {
    if (!numbers_) numbers_ = numbers, begun_ = numbers.size();
    if (numbers_->data() != numbers.data() || numbers_->size() != numbers.size())
      throw Error(
          message("mean: of ", numbers.size(), " numbers, while that of ", numbers_->size(), " others is under way"));
    while (begun_ > final_from && (begun_ - final_from >= bucket_ || final_from == 0)) {
      const std::size_t size = std::min(bucket_, begun_ - final_from);
      begun_ -= size;
      send(numbers.subspan(begun_, size));
    }
    advance();
  }
  /// Does what can be done without waiting. Of each journey only the first bucket is asked for: the others follow it.
  void advance() {
    for (; added_ < buckets_.size() && tested(buckets_[added_].request); ++added_) add_up(buckets_[added_]);
    for (; added_ > 0 && tested(buckets_.front().request); --added_) {
      const Bucket& done = buckets_.front();
      std::copy_n(done.whole.begin(), done.numbers.size(), done.numbers.begin());
      buckets_.pop_front();
    }
  }
  /// Buckets that are under way.
  std::size_t left() const { return buckets_.size(); }
  /// The mean is done: nothing is under way.
  void end() { numbers_.reset(); }
  bool ended() const { return !numbers_; }

  /// By all ranks, after the last mean.
  void free() { MPI_Comm_free(&there_), MPI_Comm_free(&back_); }

 private:
  struct Bucket {
    std::span<float> numbers;
    std::vector<float> whole, parts, mine;  ///< padded to equal parts; this rank's part of everybody's; its means
    MPI_Request request = MPI_REQUEST_NULL;
  };

  void send(std::span<float> numbers) {
    Bucket& bucket = buckets_.emplace_back();
    const std::size_t ranks = static_cast<std::size_t>(ranks_), part = (numbers.size() + ranks - 1) / ranks;
    bucket.numbers = numbers;
    bucket.whole.assign(numbers.begin(), numbers.end());
    bucket.whole.resize(part * ranks);
    bucket.parts.resize(part * ranks);
    const int size = count_of(part, "mean");
    check(MPI_Ialltoall(bucket.whole.data(), size, MPI_FLOAT, bucket.parts.data(), size, MPI_FLOAT, there_,
                        &bucket.request),
          "MPI_Ialltoall");
  }
  void add_up(Bucket& bucket) const {
    const std::size_t ranks = static_cast<std::size_t>(ranks_), part = bucket.parts.size() / ranks;
    bucket.mine.resize(part);
    for (std::size_t i = 0; i < part; ++i) {
      double sum = 0;
      for (std::size_t r = 0; r < ranks; ++r) sum += static_cast<double>(bucket.parts[r * part + i]);
      bucket.mine[i] = static_cast<float>(sum / static_cast<double>(ranks));
    }
    const int size = count_of(part, "mean");
    check(MPI_Iallgather(bucket.mine.data(), size, MPI_FLOAT, bucket.whole.data(), size, MPI_FLOAT, back_,
                         &bucket.request),
          "MPI_Iallgather");
  }

  std::size_t bucket_;
  int ranks_ = 1;
  MPI_Comm there_ = MPI_COMM_NULL, back_ = MPI_COMM_NULL;
  std::optional<std::span<float>> numbers_;  ///< of the mean that is under way
  std::size_t begun_ = 0;                    ///< from here on they have been sent
  std::deque<Bucket> buckets_;               ///< under way, in their order
  std::size_t added_ = 0;                    ///< of them, the first that are on their way back
};

}  // namespace nucdet::mpi
