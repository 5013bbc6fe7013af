#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "nucdet/detect/nucleus.hpp"
#include "nucdet/exec/select.hpp"

namespace nucdet::detect {

/// How peaks of a response map become nuclei.
struct LocalMaxima {
  Index radius = 5;         ///< pixels: a peak is the highest of its (2 radius + 1)^2 window
  double relative = 0.4;    ///< xi: peaks below xi times the image's highest are dropped
  float absolute = 0.2f;    ///< and those below this; 0.2 of labels scaled by 5 is 4 % of full scale
  bool refine = true;       ///< sub-pixel positions from a parabola through the peak and its neighbours
  bool keep_border = true;  ///< false: peaks within `radius` pixels of the border are dropped

  void check() const {
    if (radius < 1 || radius > 1000)
      throw ArgumentError(message("LocalMaxima: radius is ", radius, ", must be in [1, 1000]"));
    if (!(relative >= 0 && relative <= 1))
      throw ArgumentError(message("LocalMaxima: relative is ", relative, ", must be in [0, 1]"));
    if (!(absolute >= 0)) throw ArgumentError(message("LocalMaxima: absolute is ", absolute, ", must be >= 0"));
  }
};

namespace detail {

/// Offset of the vertex of the parabola through three equally spaced values, less than half a pixel, so that it stays in its pixel; 0 where it is no
/// peak.
inline double vertex(float before, float at, float after) {
  const double curvature = static_cast<double>(before) - 2.0 * static_cast<double>(at) + static_cast<double>(after);
  if (!(curvature < 0)) return 0;
  return std::clamp(0.5 * (static_cast<double>(before) - static_cast<double>(after)) / curvature, -0.499, 0.499);
}

/// A pixel is a peak if none in its window is higher, and none of the same height comes before it in row-major order.
/// The rule looks at the window alone, so that tiles and the whole image agree, and a plateau gives one peak a window.
struct IsPeak {
  View<const float> map;
  Index radius;
  float floor;
  bool refine, keep_border;

  /// Whether a pixel at (y, x) loses to the one at (r, c).
  bool loses(float value, Index y, Index x, Index r, Index c) const {
    const float other = map(0, r, c, 0);
    return other > value || (other == value && (r < y || (r == y && c < x)));
  }
  bool highest(Index y, Index x, Index reach) const {
    const float value = map(0, y, x, 0);
    const Index y0 = std::max<Index>(0, y - reach), y1 = std::min(map.shape.h - 1, y + reach);
    const Index x0 = std::max<Index>(0, x - reach), x1 = std::min(map.shape.w - 1, x + reach);
    for (Index r = y0; r <= y1; ++r)
      for (Index c = x0; c <= x1; ++c)
        if (loses(value, y, x, r, c)) return false;
    return true;
  }
  Nucleus nucleus(Index y, Index x) const {
    Nucleus n{{static_cast<double>(x), static_cast<double>(y)}, map(0, y, x, 0)};
    if (!refine) return n;
    if (x > 0 && x + 1 < map.shape.w) n.centre.x += vertex(map(0, y, x - 1, 0), n.score, map(0, y, x + 1, 0));
    if (y > 0 && y + 1 < map.shape.h) n.centre.y += vertex(map(0, y - 1, x, 0), n.score, map(0, y + 1, x, 0));
    return n;
  }
  void operator()(const Tile& t, std::vector<Nucleus>& found) const {
    const Index edge = keep_border ? 0 : radius;
    for (Index x = t.x0; x < t.x1; ++x) {
      const float value = map(0, t.y, x, 0);
      if (value != value) throw NumericError(message("find_peaks: the response at (", x, ", ", t.y, ") is NaN"));
      if (!(value >= floor && value > 0)) continue;
      // The nearest neighbours first: most pixels fall there.
      if (x > 0 && map(0, t.y, x - 1, 0) >= value) continue;
      if (x + 1 < map.shape.w && map(0, t.y, x + 1, 0) > value) continue;
      if (!highest(t.y, x, 1) || !highest(t.y, x, radius)) continue;
      if (t.y < edge || x < edge || t.y >= map.shape.h - edge || x >= map.shape.w - edge) continue;
      found.push_back(nucleus(t.y, x));
    }
  }
};

}  // namespace detail

/// All peaks of a map [1, H, W, 1] of at least the absolute floor, in row-major order. The relative threshold is for
/// `keep_relative`, after the last tile. Throws NumericError for NaN, ShapeError for another shape.
inline std::vector<Nucleus> find_peaks(Context<Cpu>& context, View<const float> map, const LocalMaxima& settings) {
  settings.check();
  if (map.shape.n != 1 || map.shape.c != 1)
    throw ShapeError(message("find_peaks: map is ", map.shape, ", wanted 1xHxWx1"));
  return select<Nucleus>(
      context, map.shape,
      detail::IsPeak{map, settings.radius, settings.absolute, settings.refine, settings.keep_border});
}

/// Drops the peaks below xi times the highest of all.
inline void keep_relative(std::vector<Nucleus>& nuclei, double xi) {
  float highest = 0;
  for (const Nucleus& n : nuclei) highest = std::max(highest, n.score);
  std::erase_if(nuclei, [&](const Nucleus& n) { return n.score < static_cast<float>(xi) * highest; });
}

}  // namespace nucdet::detect
