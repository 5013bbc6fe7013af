#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/math.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/detect/smooth.hpp"
#include "nucdet/detect/subpixel.hpp"
#include "nucdet/exec/select.hpp"

namespace nucdet::detect {

/// How peaks of a response map become nuclei. They are sought in the responses as the network gives them; scores are
/// what users see of them.
struct LocalMaxima {
  Index radius = 5;       ///< pixels: a peak is the highest of its (2 radius + 1)^2 window
  double relative = 0;    ///< xi, the paper's rule: peaks below xi times the image's highest are dropped
  float absolute = 1.5f;  ///< peaks whose response is below this are dropped: by default those that score below 0.3
  /// The response that scores 1: the label's highest value times what the loss takes it to, 5 for the weighted loss.
  /// 0: scores are the responses themselves, as those of weight files of version 0.1.
  float full_scale = 5;
  bool refine = true;       ///< sub-pixel positions from a parabola through the peak and its neighbours
  bool keep_border = true;  ///< false: peaks within `radius` pixels of the border are dropped
  /// Pixels: the map is first blurred by a Gaussian of this sigma; 0: not at all. For pixel classifiers (2), whose maps
  /// have plateaus.
  double smoothing = 0;

  /// In [0, 1]: a network may overshoot its labels.
  float score(float response) const {
    return full_scale > 0 ? std::clamp(response / full_scale, 0.0f, 1.0f) : response;
  }
  /// `absolute` in units of the scores.
  float threshold() const { return full_scale > 0 ? absolute / full_scale : absolute; }
  void set_threshold(double score) {
    absolute = static_cast<float>(full_scale > 0 ? score * static_cast<double>(full_scale) : score);
  }

  /// The peaks of a map as nuclei: see find_peaks.
  template <class D>
  std::vector<Nucleus> operator()(Context<D>& context, View<const float> map) const;

  /// Pixels that deciding on a peak looks away.
  Index reach() const { return radius + (smoothing > 0 ? detail::blur_reach(smoothing) : 0); }

  void check() const {
    if (radius < 1 || radius > 1000)
      throw ArgumentError(message("LocalMaxima: radius is ", radius, ", must be in [1, 1000]"));
    if (!(relative >= 0 && relative <= 1))
      throw ArgumentError(message("LocalMaxima: relative is ", relative, ", must be in [0, 1]"));
    if (!(absolute >= 0 && std::isfinite(absolute)))
      throw ArgumentError(message("LocalMaxima: absolute is ", absolute, ", must be a number of at least 0"));
    if (!(full_scale >= 0 && std::isfinite(full_scale)))
      throw ArgumentError(message("LocalMaxima: full_scale is ", full_scale, ", must be a number of at least 0"));
    if (!(smoothing >= 0 && smoothing <= 100))
      throw ArgumentError(message("LocalMaxima: smoothing is ", smoothing, ", must be in [0, 100]"));
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

  /// Whether one of pixels [x0, x1) of row y is at least `bar`.
  NUCDET_HD bool reached(float bar, Index y, Index x0, Index x1) const {
    const Index step = map.pixel_stride, count = x1 - x0;
    const float* row = map.pixel(0, y, x0);
    int any = 0;  // not a bool, which would keep the loop scalar
    if (step == 1)
      for (Index i = 0; i < count; ++i) any |= row[i] >= bar ? 1 : 0;
    else
      for (Index i = 0; i < count; ++i) any |= row[i * step] >= bar ? 1 : 0;
    return any != 0;
  }
  /// The window's pixels before this one must be lower than its value, those after it may be as high: they must not
  /// reach the next number above. The nearest rows come first: they decide most.
  NUCDET_HD bool highest(Index y, Index x, Index reach) const {
    const float value = map(0, y, x, 0), above = math::from_bits(math::to_bits(value) + 1);
    const Index x0 = x > reach ? x - reach : 0, x1 = x + reach + 1 < map.shape.w ? x + reach + 1 : map.shape.w;
    if (reached(value, y, x0, x) || reached(above, y, x + 1, x1)) return false;
    for (Index k = 1; k <= reach; ++k) {
      if (y >= k && reached(value, y - k, x0, x1)) return false;
      if (y + k < map.shape.h && reached(above, y + k, x0, x1)) return false;
    }
    return true;
  }
  /// Whether pixel (y, x) is a peak or not finite; if so, the item with its place and value.
  NUCDET_HD bool at(Index, Index y, Index x, Peak& item) const { return passes(y, x) && take(y, x, item); }
  /// Whether it is not finite, or reaches the floor and is the highest of its neighbours.
  NUCDET_HD bool passes(Index y, Index x) const {
    const float value = map(0, y, x, 0);
    return !(value - value == 0.0f) || (value >= floor && value > 0 && highest(y, x, 1));
  }
  /// The rest of the question, for a pixel that passes.
  NUCDET_HD bool take(Index y, Index x, Peak& item) const {
    const float value = map(0, y, x, 0);
    const bool finite = value - value == 0.0f;
    const Index edge = keep_border ? 0 : radius;
    const bool inside = y >= edge && x >= edge && y < map.shape.h - edge && x < map.shape.w - edge;
    if (finite && (!inside || !(value > 0) || !highest(y, x, radius))) return false;
    item.x = x, item.y = y, item.score = value;
    if (refine && finite) item.offset = vertex_offset(map, y, x);
    return true;
  }
  /// Which of kBlock pixels reach the floor and beat their eight neighbours, or are not finite. Without branches, so
  /// that compilers make vectors of it; few pixels pass. Needs contiguous pixels away from the border.
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
  void operator()(const exec::Tile& t, std::vector<Peak>& found) const {
    const bool inside = map.pixel_stride == 1 && t.y > 0 && t.y + 1 < map.shape.h;
    std::uint32_t marks[kBlock];
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    const auto propose = [&](Index x) { found.push_back({x, t.y, {}, 0}); };
    for (Index x = t.x0; x < t.x1;) {
      if (!inside || x == 0 || x + kBlock >= map.shape.w || x + kBlock > t.x1) {
        if (passes(t.y, x)) propose(x);
        ++x;
        continue;
      }
      if (mark(t.y, x, marks))
        for (Index i = 0; i < kBlock; ++i)
          if (marks[i] != 0) propose(x + i);
      x += kBlock;
    }
    found.erase(std::remove_if(found.begin() + first, found.end(), [&](Peak& p) { return !take(p.y, p.x, p); }),
                found.end());
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
  Tensor<D> smoothed;
  if (settings.smoothing > 0) {
    smoothed = context.make(map.shape);
    smooth(context, map, settings.smoothing, smoothed.template view<float>());
    map = std::as_const(smoothed).template view<const float>();
  }
  const detail::IsPeak kernel{map, settings.radius, settings.absolute, settings.refine, settings.keep_border};
  std::vector<Peak> found = exec::select<Peak>(context, map.shape, kernel);
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

template <class D>
std::vector<Nucleus> LocalMaxima::operator()(Context<D>& context, View<const float> map) const {
  return find_peaks(context, map, *this);
}

/// Drops the peaks below xi times the highest of all.
void keep_relative(std::vector<Nucleus>& nuclei, double xi);

#ifdef NUCDET_INLINE

NUCDET_INLINE void keep_relative(std::vector<Nucleus>& nuclei, double xi) {
  float highest = 0;
  for (const Nucleus& n : nuclei) highest = std::max(highest, n.score);
  std::erase_if(nuclei, [&](const Nucleus& n) { return n.score < static_cast<float>(xi) * highest; });
}

#endif

}  // namespace nucdet::detect
