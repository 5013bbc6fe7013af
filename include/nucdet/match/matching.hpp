#pragma once
#include <cmath>
#include <concepts>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet::match {

/// Which predicted point stands for which true one.
struct Matching {
  struct Pair {
    Index predicted, truth;
    double distance;  ///< pixels
  };
  std::vector<Pair> pairs;         ///< ordered by `predicted`
  Index predicted = 0, truth = 0;  ///< how many points there were

  Index hits() const { return static_cast<Index>(pairs.size()); }
  Index false_alarms() const { return predicted - hits(); }
  Index misses() const { return truth - hits(); }
  double total_distance() const {
    double sum = 0;
    for (const Pair& p : pairs) sum += p.distance;
    return sum;
  }
};

/// Pairs predicted with true points, one to one.
template <class M>
concept Matcher = requires(const M& matcher, std::span<const Point> points) {
  { matcher(points, points) } -> std::same_as<Matching>;
};

namespace detail {

/// Two points within the gate of each other.
struct Candidate {
  Index predicted, truth;
  double distance;
};

/// Bounded too, so that no square or sum of distances overflows.
void check_points(const char* where, std::span<const Point> points);

void check_gate(const char* where, double gate);

#ifdef NUCDET_INLINE

NUCDET_INLINE void check_points(const char* where, std::span<const Point> points) {
  constexpr double most = 1e100;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (!(std::abs(points[i].x) <= most && std::abs(points[i].y) <= most))
      throw ArgumentError(message(where, ": point ", i, " is (", points[i].x, ", ", points[i].y,
                                  "), must be finite and at most ", most, " from 0"));
}

NUCDET_INLINE void check_gate(const char* where, double gate) {
  if (!(gate > 0 && std::isfinite(gate)))
    throw ArgumentError(message(where, ": gate is ", gate, " pixels, must be > 0"));
}

#endif

}  // namespace detail
}  // namespace nucdet::match
