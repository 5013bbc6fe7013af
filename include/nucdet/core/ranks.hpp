#pragma once
#include <chrono>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet {

/// Another rank has ended, does not answer, or computes something else.
struct RanksError : Error {
  using Error::Error;
};

/// The processes, "ranks", that do one thing together. All of them make the same calls in the same order; gather and
/// mean wait for the others. All throw RanksError where the others do not come, and are of no use after that.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual Index rank() const = 0;   ///< of this process, from 0
  virtual Index count() const = 0;  ///< of processes
  /// Everybody's bytes, in the order of ranks: `all` has room for count() times as many.
  virtual void gather(const void* mine, std::size_t bytes, void* all) = 0;
  /// Replaces numbers on the host by their means over all ranks, added in the order of ranks: everybody has the same
  /// bits.
  virtual void mean(std::span<float> numbers) = 0;
  /// Tells that of the numbers whose mean is asked for next, those from `final_from` on will not change any more, so
  /// that they may travel while the others are still being made; they may be overwritten with their means by now, in
  /// any call until that mean is done, and have to live as long. Comes again and again until then, with a place that
  /// never rises, also where nothing is new: what is under way can go on. gather may come in between. Does not wait for
  /// the others. By default all that is done is done in mean.
  virtual void begin_mean(std::span<float> /*numbers*/, std::size_t /*final_from*/) {}
  /// Tells that a mean which has begun will not be asked for, after an error of what makes the numbers; the ranks are
  /// of no use after that. Needed where they go on living: what is under way would be written to memory that is gone.
  virtual void abandon_mean() noexcept {}
  /// How long another rank may take now for what all have come to, before it counts as lost. To be asked anew each
  /// time.
  virtual std::chrono::milliseconds patience() const { return std::chrono::minutes(1); }
};

/// Everybody's value, in the order of ranks.
template <class T>
requires std::is_trivially_copyable_v<T> std::vector<T> gathered(Ranks& ranks, const T& mine) {
  std::vector<T> all(static_cast<std::size_t>(ranks.count()));
  ranks.gather(&mine, sizeof(T), all.data());
  return all;
}

/// Everybody's values, of any number, in the order of ranks.
template <class T>
requires std::is_trivially_copyable_v<T> std::vector<std::vector<T>> gathered_lists(Ranks& ranks,
                                                                                    std::span<const T> mine) {
  std::size_t most = 0;
  const std::vector<std::size_t> sizes = gathered(ranks, mine.size());
  for (const std::size_t size : sizes) most = size > most ? size : most;
  std::vector<std::vector<T>> lists(sizes.size());
  if (most == 0) return lists;
  std::vector<T> padded(mine.begin(), mine.end()), all(most * sizes.size());
  padded.resize(most);
  ranks.gather(padded.data(), most * sizeof(T), all.data());
  for (std::size_t r = 0; r < sizes.size(); ++r) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(r * most);
    lists[r].assign(first, first + static_cast<std::ptrdiff_t>(sizes[r]));
  }
  return lists;
}

}  // namespace nucdet
