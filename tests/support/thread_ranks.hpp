#pragma once
#include <algorithm>
#include <barrier>
#include <cstddef>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "nucdet/core/ranks.hpp"

namespace nucdet_test {

/// Where ranks that are threads of this process meet.
struct Meeting {
  explicit Meeting(nucdet::Index ranks) : count(ranks), barrier(ranks), given(static_cast<std::size_t>(ranks)) {}
  nucdet::Index count;
  std::barrier<> barrier;
  std::vector<std::vector<std::byte>> given;
};

class ThreadRanks : public nucdet::Ranks {
 public:
  ThreadRanks(Meeting& meeting, nucdet::Index rank) : meeting_(meeting), rank_(rank) {}
  nucdet::Index rank() const override { return rank_; }
  nucdet::Index count() const override { return meeting_.count; }
  void gather(const void* mine, std::size_t bytes, void* all) override {
    const auto* const from = static_cast<const std::byte*>(mine);
    meeting_.given[static_cast<std::size_t>(rank_)].assign(from, from + bytes);
    meeting_.barrier.arrive_and_wait();
    auto* to = static_cast<std::byte*>(all);
    for (const auto& bytes_of_rank : meeting_.given) to = std::copy(bytes_of_rank.begin(), bytes_of_rank.end(), to);
    meeting_.barrier.arrive_and_wait();
  }
  void mean(std::span<float> numbers) override {
    std::vector<float> all(numbers.size() * meeting_.given.size());
    gather(numbers.data(), numbers.size_bytes(), all.data());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      double sum = 0;
      for (std::size_t r = 0; r < meeting_.given.size(); ++r) sum += static_cast<double>(all[r * numbers.size() + i]);
      numbers[i] = static_cast<float>(sum / static_cast<double>(meeting_.count));
    }
  }

 private:
  Meeting& meeting_;
  nucdet::Index rank_;
};

/// Ranks that exchange what they are told of as soon as they are told.
class EagerRanks final : public ThreadRanks {
 public:
  using ThreadRanks::ThreadRanks;
  void begin_mean(std::span<float> numbers, std::size_t final_from) override {
    if (!under_way_) under_way_ = true, begun_ = numbers.size();
    if (final_from >= begun_) return;
    ThreadRanks::mean(numbers.subspan(final_from, begun_ - final_from));
    early_ += begun_ - final_from, begun_ = final_from;
  }
  void mean(std::span<float> numbers) override {
    ThreadRanks::mean(numbers.first(under_way_ ? begun_ : numbers.size()));
    under_way_ = false;
  }
  /// Numbers that were exchanged before their mean was asked for.
  std::size_t early() const { return early_; }

 private:
  bool under_way_ = false;
  std::size_t begun_ = 0, early_ = 0;
};

/// Calls work(ranks) in as many threads; what each returned.
template <class Kind = ThreadRanks, class Work>
auto with_ranks(nucdet::Index count, const Work& work) {
  using Result = std::invoke_result_t<Work, nucdet::Ranks&>;
  Meeting meeting(count);
  std::vector<Result> results(static_cast<std::size_t>(count));
  std::vector<std::jthread> threads;
  for (nucdet::Index r = 0; r < count; ++r)
    threads.emplace_back([&, r] {
      Kind ranks(meeting, r);
      results[static_cast<std::size_t>(r)] = work(ranks);
    });
  threads.clear();
  return results;
}

}  // namespace nucdet_test
