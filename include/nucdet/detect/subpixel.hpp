#pragma once
#include "nucdet/core/point.hpp"
#include "nucdet/core/view.hpp"

namespace nucdet::detect {

/// Offset of the vertex of the parabola through three equally spaced values, the middle one the highest: less than half
/// a pixel, so that the position rounds to its own pixel. 0 where the three do not bend down.
NUCDET_HD inline double vertex(float before, float at, float after) {
  const double b = static_cast<double>(before), a = static_cast<double>(after);
  const double curvature = b - 2.0 * static_cast<double>(at) + a;
  if (!(curvature < 0)) return 0;
  const double offset = 0.5 * (b - a) / curvature;
  return offset < -0.499 ? -0.499 : offset > 0.499 ? 0.499 : offset;
}

/// From the peak's pixel (y, x) of a map of one channel to the vertex along each axis; 0 along an axis where that pixel
/// lies on the border. An offset, so that tiles round as the whole image does.
NUCDET_HD inline Point vertex_offset(const View<const float>& map, Index y, Index x) {
  Point offset;
  const float at = map(0, y, x, 0);
  if (x > 0 && x + 1 < map.shape.w) offset.x = vertex(map(0, y, x - 1, 0), at, map(0, y, x + 1, 0));
  if (y > 0 && y + 1 < map.shape.h) offset.y = vertex(map(0, y - 1, x, 0), at, map(0, y + 1, x, 0));
  return offset;
}

}  // namespace nucdet::detect
