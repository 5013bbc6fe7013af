#pragma once
#include "nucdet/core/config.hpp"

namespace nucdet {

/// A position in an image, in pixels: x to the right, y down, (0, 0) the centre of the top left pixel.
struct Point {
  double x = 0, y = 0;
  friend constexpr bool operator==(const Point&, const Point&) = default;
};

NUCDET_HD constexpr double squared_distance(Point a, Point b) {
  return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

/// The largest coordinate of a point in a file, pixels: far beyond any slide.
inline constexpr double kLargestCoordinate = 1e9;
/// Whether both coordinates are numbers of pixels that files may hold.
constexpr bool is_place(Point p) {
  constexpr auto within = [](double v) { return v >= -kLargestCoordinate && v <= kLargestCoordinate; };
  return within(p.x) && within(p.y);
}

}  // namespace nucdet
