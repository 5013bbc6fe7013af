#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "nucdet/detect/nucleus.hpp"
#include "nucdet/detect/subpixel.hpp"
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

/// A peak's pixel, and from its centre the way to the vertex between pixels.
struct Peak {
  Index x = 0, y = 0;
  Point offset;
  float score = 0;
};

namespace detail {

/// A pixel is a peak if none in its window is higher, and none of the same height comes before it in row-major order.
/// The rule looks at the window alone, so that tiles and the whole image agree, and a plateau gives one peak a window.
struct IsPeak {
  static constexpr Index kBlock = 32;  // pixels looked at together, as vectors

  View<const float> map;
  Index radius;
  float floor;
  bool refine, keep_border;

  /// Whether one of pixels [from, to) of row r is higher than the value, or, if it comes first, as high.
  NUCDET_HD bool beaten(float value, Index r, Index from, Index to, bool first) const {
    const float* row = map.pixel(0, r, 0);
    const Index step = map.pixel_stride;
    bool any = false;
    if (first)
      for (Index c = from; c < to; ++c) any |= row[c * step] >= value;
    else
      for (Index c = from; c < to; ++c) any |= row[c * step] > value;
    return any;
  }
  NUCDET_HD bool highest(Index y, Index x, Index reach) const {
    const float value = map(0, y, x, 0);
    const Index y0 = y > reach ? y - reach : 0, y1 = y + reach + 1 < map.shape.h ? y + reach + 1 : map.shape.h;
    const Index x0 = x > reach ? x - reach : 0, x1 = x + reach + 1 < map.shape.w ? x + reach + 1 : map.shape.w;
    if (beaten(value, y, x0, x, true) || beaten(value, y, x + 1, x1, false)) return false;
    for (Index r = y - 1; r >= y0; --r)
      if (beaten(value, r, x0, x1, true)) return false;
    for (Index r = y + 1; r < y1; ++r)
      if (beaten(value, r, x0, x1, false)) return false;
    return true;
  }
  /// Whether pixel (y, x) is a peak or not finite; if so, the item with its place and value.
  NUCDET_HD bool at(Index, Index y, Index x, Peak& item) const {
    const float value = map(0, y, x, 0);
    const bool finite = value - value == 0.0f;
    if (finite && (!(value >= floor && value > 0) || !highest(y, x, 1))) return false;
    const Index edge = keep_border ? 0 : radius;
    const bool inside = y >= edge && x >= edge && y < map.shape.h - edge && x < map.shape.w - edge;
    if (finite && (!inside || !highest(y, x, radius))) return false;
    item.x = x, item.y = y, item.score = value;
    if (refine && finite) item.offset = vertex_offset(map, y, x);
    return true;
  }
  void examine(Index y, Index x, std::vector<Peak>& found) const {
    Peak item;
    if (at(0, y, x, item)) found.push_back(item);
  }
  /// Which of kBlock pixels beat their eight neighbours, or are not finite. Without branches, so that compilers make
  /// vectors of it; few pixels pass. Needs contiguous pixels away from the border.
  bool mark(Index y, Index x, std::uint32_t (&marks)[kBlock]) const {
    const float *above = map.pixel(0, y - 1, x), *row = map.pixel(0, y, x), *below = map.pixel(0, y + 1, x);
    std::uint32_t any = 0;
    for (Index i = 0; i < kBlock; ++i) {
      const float v = row[i];
      const bool first = (v > above[i - 1]) & (v > above[i]) & (v > above[i + 1]) & (v > row[i - 1]);
      const bool later = (v >= row[i + 1]) & (v >= below[i - 1]) & (v >= below[i]) & (v >= below[i + 1]);
      marks[i] = static_cast<std::uint32_t>((first & later & (v >= floor)) | !(v - v == 0.0f));
      any |= marks[i];
    }
    return any != 0;
  }
  void operator()(const Tile& t, std::vector<Peak>& found) const {
    const bool inside = map.pixel_stride == 1 && t.y > 0 && t.y + 1 < map.shape.h;
    std::uint32_t marks[kBlock];
    for (Index x = t.x0; x < t.x1;) {
      if (!inside || x == 0 || x + kBlock >= map.shape.w || x + kBlock > t.x1) {
        examine(t.y, x++, found);
        continue;
      }
      if (mark(t.y, x, marks))
        for (Index i = 0; i < kBlock; ++i)
          if (marks[i] != 0) examine(t.y, x + i, found);
      x += kBlock;
    }
  }
};

}  // namespace detail

/// All peaks of a map [1, H, W, 1] of at least the absolute floor, in row-major order. The relative threshold is for
/// `keep_relative`, after the last tile. Throws NumericError for values that are not finite,
/// ShapeError for another shape.
template <class D>
std::vector<Peak> find_peak_pixels(Context<D>& context, View<const float> map, const LocalMaxima& settings) {
  settings.check();
  if (map.shape.n != 1 || map.shape.c != 1)
    throw ShapeError(message("find_peaks: map is ", map.shape, ", wanted 1xHxWx1"));
  const detail::IsPeak kernel{map, settings.radius, settings.absolute, settings.refine, settings.keep_border};
  std::vector<Peak> found = select<Peak>(context, map.shape, kernel);
  for (const Peak& p : found)
    if (!std::isfinite(p.score))
      throw NumericError(message("find_peaks: the response at (", p.x, ", ", p.y, ") is ", p.score));
  return found;
}

/// The same as positions.
template <class D>
std::vector<Nucleus> find_peaks(Context<D>& context, View<const float> map, const LocalMaxima& settings) {
  std::vector<Nucleus> nuclei;
  for (const Peak& p : find_peak_pixels(context, map, settings))
    nuclei.push_back({{static_cast<double>(p.x) + p.offset.x, static_cast<double>(p.y) + p.offset.y}, p.score});
  return nuclei;
}

/// Drops the peaks below xi times the highest of all.
inline void keep_relative(std::vector<Nucleus>& nuclei, double xi) {
  float highest = 0;
  for (const Nucleus& n : nuclei) highest = std::max(highest, n.score);
  std::erase_if(nuclei, [&](const Nucleus& n) { return n.score < static_cast<float>(xi) * highest; });
}

}  // namespace nucdet::detect
