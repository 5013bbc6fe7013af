#pragma once
#include <algorithm>
#include <cmath>

#include "nucdet/core/config.hpp"
#include "nucdet/match/matching.hpp"

namespace nucdet::match::detail {

/// A point in an order that sweeps over the plane: strip by strip, from left to right in each.
struct SweptPoint {
  double strip, x, y;
  Index index;  ///< among the points as they were given
};

/// A hair more than the gate, so that rounding loses no pair.
inline double widened(double gate) { return 1.001 * gate; }

/// Strips are as high as the gate: a point's partners lie in its own and the two beside it.
std::vector<SweptPoint> sweep(std::span<const Point> points, double gate);

/// Calls visit(candidate) for all pairs within the gate (inclusive), ordered by predicted point, then by true point;
/// both by their places in the sweep. One cursor for each of the three strips moves along with the predicted points, so
/// that nothing is searched.
template <class Visit>
void for_each_within(std::span<const SweptPoint> predicted, std::span<const SweptPoint> truth, double gate,
                     Visit&& visit) {
  std::size_t cursors[3] = {};
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const SweptPoint& p = predicted[i];
    for (int k = 0; k < 3; ++k) {
      const double strip = p.strip + k - 1, left = p.x - widened(gate), right = p.x + widened(gate);
      std::size_t& j = cursors[k];
      while (j < truth.size() && (truth[j].strip < strip || (truth[j].strip == strip && truth[j].x < left))) ++j;
      for (std::size_t t = j; t < truth.size() && truth[t].strip == strip && truth[t].x <= right; ++t) {
        const double squared = squared_distance({p.x, p.y}, {truth[t].x, truth[t].y});
        if (squared <= gate * gate &&
            !visit(Candidate{static_cast<Index>(i), static_cast<Index>(t), std::sqrt(squared)}))
          return;
      }
    }
  }
}

/// All of them, in that order.
std::vector<Candidate> candidates_within(std::span<const SweptPoint> predicted, std::span<const SweptPoint> truth,
                                         double gate);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<SweptPoint> sweep(std::span<const Point> points, double gate) {
  std::vector<SweptPoint> swept;
  swept.reserve(points.size());
  for (const Point& p : points)
    swept.push_back(
        {std::floor(std::clamp(p.y / widened(gate), -1e15, 1e15)), p.x, p.y, static_cast<Index>(swept.size())});
  std::sort(swept.begin(), swept.end(), [](const SweptPoint& a, const SweptPoint& b) {
    return a.strip != b.strip ? a.strip < b.strip : a.x != b.x ? a.x < b.x : a.y != b.y ? a.y < b.y : a.index < b.index;
  });
  return swept;
}

NUCDET_INLINE std::vector<Candidate> candidates_within(std::span<const SweptPoint> predicted,
                                                       std::span<const SweptPoint> truth, double gate) {
  std::vector<Candidate> found;
  found.reserve(2 * predicted.size());
  for_each_within(predicted, truth, gate, [&](const Candidate& pair) {
    found.push_back(pair);
    return true;
  });
  return found;
}

#endif

}  // namespace nucdet::match::detail
