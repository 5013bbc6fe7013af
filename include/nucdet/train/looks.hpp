#pragma once
#include <span>
#include <utility>
#include <vector>

#include "nucdet/core/ranks.hpp"
#include "nucdet/detect/nucleus.hpp"

namespace nucdet::train::detail {

/// What was found in an image to validate with.
struct Look {
  double loss = 0;
  std::vector<Nucleus> peaks;
};

/// The images of a validation, dealt among ranks in turn: each looks at its own and tells the others.
class LooksByRank {
 public:
  LooksByRank(Ranks* ranks, std::size_t images) : ranks_(ranks), looks_(images) {
    const std::size_t rank = ranks != nullptr ? static_cast<std::size_t>(ranks->rank()) : 0;
    for (std::size_t i = rank; i < images; i += step()) mine_.push_back(i);
  }
  /// The images that this rank looks at.
  const std::vector<std::size_t>& mine() const { return mine_; }
  /// How many images the rank that has most of them looks at.
  std::size_t rounds() const { return (looks_.size() + step() - 1) / step(); }
  /// What it found in the next of them.
  void add(double loss, std::vector<Nucleus> peaks) { looks_[mine_[added_++]] = {loss, std::move(peaks)}; }
  /// Everybody gets everybody's.
  void share() {
    if (ranks_ == nullptr) return;
    std::vector<Told> told;
    std::vector<Nucleus> peaks;
    for (const std::size_t i : mine_) {
      told.push_back({looks_[i].loss, looks_[i].peaks.size()});
      peaks.insert(peaks.end(), looks_[i].peaks.begin(), looks_[i].peaks.end());
    }
    const auto all = gathered_lists(*ranks_, std::span<const Told>(told));
    const auto found = gathered_lists(*ranks_, std::span<const Nucleus>(peaks));
    for (std::size_t r = 0; r < all.size(); ++r) {
      auto next = found[r].begin();
      for (std::size_t k = 0; k < all[r].size(); ++k) {
        const auto end = next + static_cast<std::ptrdiff_t>(all[r][k].peaks);
        looks_[r + k * step()] = {all[r][k].loss, {next, end}};
        next = end;
      }
    }
  }
  Look& operator[](std::size_t image) { return looks_[image]; }

 private:
  struct Told {
    double loss;
    std::size_t peaks;
  };
  std::size_t step() const { return ranks_ != nullptr ? static_cast<std::size_t>(ranks_->count()) : 1; }

  Ranks* ranks_;
  std::vector<Look> looks_;
  std::vector<std::size_t> mine_;
  std::size_t added_ = 0;
};

}  // namespace nucdet::train::detail
