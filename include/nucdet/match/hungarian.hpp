#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/match/candidates.hpp"
#include "nucdet/match/thinned_assignment.hpp"

namespace nucdet::match {

/// Gated one-to-one assignment: of all ways to pair points at most `gate` pixels apart, the largest number of pairs,
/// and of those the smallest total distance. Exact, and sparse: time and memory grow with the candidate pairs, not with
/// points x points; of pairs too many to hold the nearest are looked at first (detail::assign), which is as exact and
/// takes memory as the points. The pairs do not depend on the order of the points, which are sorted first, unless
/// points coincide. (An assignment that minimises the distance first and gates afterwards can lose pairs: see
/// UngatedThenFilter.) Throws ArgumentError for points that are not finite or a bad gate.
struct HungarianMatcher {
  double gate = 16;  ///< pixels, inclusive

  Matching operator()(std::span<const Point> predicted, std::span<const Point> truth) const;
};
static_assert(Matcher<HungarianMatcher>);

#ifdef NUCDET_INLINE

NUCDET_INLINE Matching HungarianMatcher::operator()(std::span<const Point> predicted,
                                                    std::span<const Point> truth) const {
  detail::check_gate("HungarianMatcher", gate);
  detail::check_points("HungarianMatcher: predicted", predicted);
  detail::check_points("HungarianMatcher: truth", truth);
  Matching result{{}, static_cast<Index>(predicted.size()), static_cast<Index>(truth.size())};
  const std::vector<detail::SweptPoint> rows = detail::sweep(predicted, gate), columns = detail::sweep(truth, gate);
  // As many pairs as are held at once: 50 MB, or ten times those of the densest tissue.
  const std::size_t most = std::max(std::size_t{1} << 21, 32 * (predicted.size() + truth.size()));
  const auto [candidates, taken] = detail::assign(rows, columns, gate, most);
  std::vector<Index> of_predicted(taken.size());
  for (std::size_t place = 0; place < taken.size(); ++place)
    of_predicted[static_cast<std::size_t>(rows[place].index)] = taken[place];
  for (Index i = 0; i < result.predicted; ++i)
    if (const Index k = of_predicted[static_cast<std::size_t>(i)]; k != detail::SparseAssignment::kAlone) {
      const detail::Candidate& c = candidates[static_cast<std::size_t>(k)];
      result.pairs.push_back({i, columns[static_cast<std::size_t>(c.truth)].index, c.distance});
    }
  return result;
}

#endif

}  // namespace nucdet::match
