#pragma once
#include <algorithm>
#include <limits>

#include "nucdet/core/config.hpp"
#include "nucdet/match/matching.hpp"

namespace nucdet::match {

/// The assignment of all points with the least total distance, from which pairs beyond the gate are then dropped. This
/// is how much published code scores (HoVer-Net: 12 pixels); it can lose pairs that a gated matcher finds, and is here
/// only to compare with such numbers. Dense: throws ArgumentError for more than `limit` points.
struct UngatedThenFilter {
  double gate = 12;  ///< pixels, inclusive
  Index limit = 5000;

  Matching operator()(std::span<const Point> predicted, std::span<const Point> truth) const;
};
static_assert(Matcher<UngatedThenFilter>);

#ifdef NUCDET_INLINE

namespace detail {

/// Dense assignment of n rows to m >= n columns with the least total cost (Kuhn's method with potentials, O(n^2 m)).
template <class CostOf>
std::vector<Index> assign_rows(Index n, Index m, const CostOf& cost) {
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  std::vector<double> u(at(n + 1), 0), v(at(m + 1), 0);
  std::vector<Index> row_of(at(m + 1), 0), way(at(m + 1), 0);
  for (Index i = 1; i <= n; ++i) {
    row_of[0] = i;
    Index column = 0;
    std::vector<double> least(at(m + 1), std::numeric_limits<double>::infinity());
    std::vector<bool> used(at(m + 1), false);
    do {
      used[at(column)] = true;
      const Index row = row_of[at(column)];
      double delta = std::numeric_limits<double>::infinity();
      Index next = 0;
      for (Index j = 1; j <= m; ++j) {
        if (used[at(j)]) continue;
        const double reduced = cost(row - 1, j - 1) - u[at(row)] - v[at(j)];
        if (reduced < least[at(j)]) least[at(j)] = reduced, way[at(j)] = column;
        if (least[at(j)] < delta) delta = least[at(j)], next = j;
      }
      for (Index j = 0; j <= m; ++j)
        if (used[at(j)])
          u[at(row_of[at(j)])] += delta, v[at(j)] -= delta;
        else
          least[at(j)] -= delta;
      column = next;
    } while (row_of[at(column)] != 0);
    while (column != 0) {
      const Index previous = way[at(column)];
      row_of[at(column)] = row_of[at(previous)];
      column = previous;
    }
  }
  std::vector<Index> column_of(at(n), -1);
  for (Index j = 1; j <= m; ++j)
    if (row_of[at(j)] > 0) column_of[at(row_of[at(j)] - 1)] = j - 1;
  return column_of;
}

}  // namespace detail

NUCDET_INLINE Matching UngatedThenFilter::operator()(std::span<const Point> predicted,
                                                     std::span<const Point> truth) const {
  detail::check_gate("UngatedThenFilter", gate);
  detail::check_points("UngatedThenFilter: predicted", predicted);
  detail::check_points("UngatedThenFilter: truth", truth);
  const Index n = static_cast<Index>(predicted.size()), m = static_cast<Index>(truth.size());
  if (std::max(n, m) > limit)
    throw ArgumentError(message("UngatedThenFilter: ", n, " and ", m, " points, more than the limit of ", limit,
                                "; use HungarianMatcher"));
  Matching result{{}, n, m};
  const auto distance = [&](Index i, Index j) {
    return std::sqrt(squared_distance(predicted[static_cast<std::size_t>(i)], truth[static_cast<std::size_t>(j)]));
  };
  const bool swap = n > m;
  const std::vector<Index> column = swap ? detail::assign_rows(m, n, [&](Index i, Index j) { return distance(j, i); })
                                         : detail::assign_rows(n, m, distance);
  for (std::size_t row = 0; row < column.size(); ++row) {
    const Index i = swap ? column[row] : static_cast<Index>(row), j = swap ? static_cast<Index>(row) : column[row];
    if (const double d = distance(i, j); d <= gate) result.pairs.push_back({i, j, d});
  }
  std::sort(result.pairs.begin(), result.pairs.end(),
            [](const auto& a, const auto& b) { return a.predicted < b.predicted; });
  return result;
}

#endif

}  // namespace nucdet::match
