#pragma once
#include <tuple>

#include "nucdet/core/config.hpp"
#include "nucdet/match/candidates.hpp"

namespace nucdet::match {

/// Nearest pair first, then the nearest of what is left, up to the gate. Fast, simple, and may find fewer pairs than
/// the Hungarian matcher. Ties go to the lower indices.
struct GreedyMatcher {
  double gate = 16;  ///< pixels, inclusive

  Matching operator()(std::span<const Point> predicted, std::span<const Point> truth) const;
};
static_assert(Matcher<GreedyMatcher>);

#ifdef NUCDET_INLINE

NUCDET_INLINE Matching GreedyMatcher::operator()(std::span<const Point> predicted, std::span<const Point> truth) const {
  detail::check_gate("GreedyMatcher", gate);
  detail::check_points("GreedyMatcher: predicted", predicted);
  detail::check_points("GreedyMatcher: truth", truth);
  const std::vector<detail::SweptPoint> rows = detail::sweep(predicted, gate), columns = detail::sweep(truth, gate);
  std::vector<detail::Candidate> candidates = detail::candidates_within(rows, columns, gate);
  for (detail::Candidate& c : candidates) {
    c.predicted = rows[static_cast<std::size_t>(c.predicted)].index;
    c.truth = columns[static_cast<std::size_t>(c.truth)].index;
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return std::tie(a.distance, a.predicted, a.truth) < std::tie(b.distance, b.predicted, b.truth);
  });
  Matching result{{}, static_cast<Index>(predicted.size()), static_cast<Index>(truth.size())};
  std::vector<bool> used(predicted.size(), false), taken(truth.size(), false);
  for (const detail::Candidate& c : candidates) {
    if (used[static_cast<std::size_t>(c.predicted)] || taken[static_cast<std::size_t>(c.truth)]) continue;
    used[static_cast<std::size_t>(c.predicted)] = taken[static_cast<std::size_t>(c.truth)] = true;
    result.pairs.push_back({c.predicted, c.truth, c.distance});
  }
  std::sort(result.pairs.begin(), result.pairs.end(),
            [](const auto& a, const auto& b) { return a.predicted < b.predicted; });
  return result;
}

#endif

}  // namespace nucdet::match
