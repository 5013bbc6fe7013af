#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/context.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/core/view.hpp"
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/label/profile.hpp"

namespace nucdet::label {

namespace detail {

/// The pixels that a centre can reach, before they are cut to the image.
struct Reach {
  Index x0, x1, y0, y1;  // half-open
};

/// Bands of rows, and which points reach into each, in the order of the points.
struct Bands {
  Index rows = 1, count = 0;
  std::vector<Index> first, points;  // band b: points[first[b]] ... points[first[b + 1] - 1]
};

inline constexpr Index kBlock = 64;  // pixels given to the profile at a time
inline constexpr Index kLanes = 8;   // distances handled at a time
inline constexpr float kFar = 1e30f;

/// False if nothing of the disc lies in the image. Numbers are compared before they become integers: a point may be
/// anywhere.
inline bool reach_of(Point p, double reach, const Shape& image, Reach& r) {
  if (!(p.x + reach >= 0 && p.x - reach <= static_cast<double>(image.w - 1))) return false;
  if (!(p.y + reach >= 0 && p.y - reach <= static_cast<double>(image.h - 1))) return false;
  r = {static_cast<Index>(std::ceil(p.x - reach)), static_cast<Index>(std::floor(p.x + reach)) + 1,
       static_cast<Index>(std::ceil(p.y - reach)), static_cast<Index>(std::floor(p.y + reach)) + 1};
  return r.x0 < r.x1 && r.y0 < r.y1;
}

Bands bands_of(std::span<const Point> points, double reach, const Shape& image, Index rows);

/// row[k] = min(row[k], dx2[k] + dy2), or row[k] += profile(dx2[k] + dy2). count is a multiple of kLanes.
template <class Profile>
void splat_row(const Profile& profile, float* __restrict row, const float* __restrict dx2, float dy2, Index count) {
  for (Index k = 0; k < count; k += kLanes)
    for (Index j = k; j < k + kLanes; ++j) {
      const float d2 = dx2[j] + dy2;
      if constexpr (Profile::combine == Combine::nearest)
        row[j] = d2 < row[j] ? d2 : row[j];
      else
        row[j] += profile(d2);
    }
}

/// Splats one point into the rows [y0, y1) held in `band`, `pitch` floats a row with at least kLanes spare at its end.
/// Distances are taken from the disc's own corner, so that they do not depend on the band.
template <class Profile>
void splat(const Profile& profile, Point p, const Shape& image, Index y0, Index y1, float* band, Index pitch,
           float* dx2) {
  Reach r{};
  if (!reach_of(p, static_cast<double>(profile.reach()), image, r)) return;
  const Index first = std::max<Index>(r.x0, 0), last = std::min(r.x1, image.w);
  const Index count = (last - first + kLanes - 1) / kLanes * kLanes;
  const float x = static_cast<float>(p.x - static_cast<double>(r.x0)),
              y = static_cast<float>(p.y - static_cast<double>(r.y0));
  const int skipped = static_cast<int>(first - r.x0);  // int: vectors convert it to float
  for (int k = 0; k < static_cast<int>(count); ++k) {
    const float dx = static_cast<float>(skipped + k) - x;
    dx2[k] = dx * dx;
  }
  for (Index row = std::max(r.y0, y0); row < std::min(r.y1, y1); ++row) {
    const float dy = static_cast<float>(row - r.y0) - y;
    splat_row(profile, band + (row - y0) * pitch + first, dx2, dy * dy, count);
  }
}

/// Turns the squared distances of a row into values, in runs of blocks that a centre reaches: any other costs a look
/// only. The profile is a copy, which no store can change: what depends on its settings alone is computed once a run.
template <class Profile>
void finish_row(const Profile profile, float limit, float* row, Index width) {
  const auto reached = [&](Index x) {
    int any = 0;
    for (Index k = x; k < x + kBlock; ++k) any |= row[k] <= limit ? 1 : 0;
    return any != 0;
  };
  for (Index x = 0, end = 0; x < width; x = end) {
    const bool inside = reached(x);
    for (end = x + kBlock; end < width && reached(end) == inside;) end += kBlock;
    if (!inside) {
      std::fill(row + x, row + end, 0.0f);
    } else if constexpr (StagedProfile<Profile>) {
      for (Index k = x; k < end; ++k) row[k] = profile.distance(row[k]);
      for (Index k = x; k < end; ++k) row[k] = profile.at(row[k]);
    } else {
      for (Index k = x; k < end; ++k) row[k] = profile(row[k]);
    }
  }
}

/// Floats a row of a band: whole blocks, and room for the last lanes of a splat to run over.
inline Index pitch_of(Index width) { return (width + kLanes + kBlock - 1) / kBlock * kBlock; }

void check_finite(std::span<const Point> points);

template <class Profile>
void render_band(const Profile& profile, std::span<const Point> points, const Bands& bands, Index band,
                 const View<float>& map, float* scratch) {
  constexpr bool nearest = Profile::combine == Combine::nearest;
  const Shape image = map.shape;
  const Index y0 = band * bands.rows, y1 = std::min(image.h, y0 + bands.rows), pitch = pitch_of(image.w);
  std::fill_n(scratch, (y1 - y0) * pitch, nearest ? kFar : 0.0f);
  const std::size_t from = static_cast<std::size_t>(bands.first[static_cast<std::size_t>(band)]);
  const std::size_t to = static_cast<std::size_t>(bands.first[static_cast<std::size_t>(band) + 1]);
  for (std::size_t i = from; i < to; ++i)
    splat(profile, points[static_cast<std::size_t>(bands.points[i])], image, y0, y1, scratch, pitch,
          scratch + bands.rows * pitch);
  // The profile decides what lies within its reach; this limit only tells which blocks it must look at.
  const double reach = static_cast<double>(profile.reach());
  const float limit = static_cast<float>(reach * reach * 1.0001 + 1e-6);
  for (Index y = y0; y < y1; ++y) {
    float *row = scratch + (y - y0) * pitch, *out = map.pixel(0, y, 0);
    if constexpr (nearest) finish_row(profile, limit, row, image.w);
    if (map.pixel_stride == 1)
      std::copy_n(row, image.w, out);
    else
      for (Index x = 0; x < image.w; ++x) out[x * map.pixel_stride] = row[x];
  }
}

#ifdef NUCDET_INLINE

NUCDET_INLINE Bands bands_of(std::span<const Point> points, double reach, const Shape& image, Index rows) {
  Bands bands{.rows = rows, .count = 0, .first = {}, .points = {}};
  bands.count = (image.h + bands.rows - 1) / bands.rows;
  bands.first.assign(static_cast<std::size_t>(bands.count + 1), 0);
  const auto each = [&](auto&& visit) {
    for (Index i = 0; i < static_cast<Index>(points.size()); ++i) {
      Reach r{};
      if (!reach_of(points[static_cast<std::size_t>(i)], reach, image, r)) continue;
      const Index last = (std::min(r.y1, image.h) - 1) / bands.rows;
      for (Index b = std::max<Index>(r.y0, 0) / bands.rows; b <= last; ++b) visit(static_cast<std::size_t>(b), i);
    }
  };
  each([&](std::size_t b, Index) { ++bands.first[b + 1]; });
  for (std::size_t b = 1; b < bands.first.size(); ++b) bands.first[b] += bands.first[b - 1];
  bands.points.resize(static_cast<std::size_t>(bands.first.back()));
  std::vector<Index> next = bands.first;
  each([&](std::size_t b, Index i) { bands.points[static_cast<std::size_t>(next[b]++)] = i; });
  return bands;
}

#endif

#ifdef NUCDET_INLINE

NUCDET_INLINE void check_finite(std::span<const Point> points) {
  for (std::size_t i = 0; i < points.size(); ++i)
    if (!std::isfinite(points[i].x) || !std::isfinite(points[i].y))
      throw ArgumentError(
          message("label::render: point ", i, " is (", points[i].x, ", ", points[i].y, "), must be finite"));
}

#endif

}  // namespace detail

/// Renders the label map of an image from its nucleus centres.
///
/// points: pixels, sub-pixel, in any number; one outside the image counts where its disc reaches in, so that a crop
/// gets the same values as the whole image. map: {1, h, w, 1}, overwritten; one image and channel of a batch will do
/// (`map.image(n).channels(k, 1)`).
/// Profiles that combine by `nearest` see the exact distance to the nearest centre; those that combine by `sum` add the
/// centres in the order of the points. The work is that of the discs' pixels plus one look at every pixel, and the
/// result does not depend on the number of threads.
/// Throws ArgumentError for settings out of range and for a point that is not finite, ShapeError for another map.
template <LabelProfile Profile>
void render(Context<Cpu>& context, const Profile& profile, std::span<const Point> points, View<float> map) {
  profile.check();
  if (map.shape.n != 1 || map.shape.c != 1)
    throw ShapeError(message("label::render: map is ", map.shape, ", must be 1xHxWx1"));
  detail::check_finite(points);
  if (map.shape.count() == 0) return;

  const detail::Bands bands =
      detail::bands_of(points, static_cast<double>(profile.reach()), map.shape, exec::rows_per_chunk(map.shape));
  const Index pitch = detail::pitch_of(map.shape.w);
  const Index span = static_cast<Index>(2 * static_cast<double>(profile.reach())) + 2 + detail::kLanes;
  const auto scratch = context.scratch<float>(bands.rows * pitch + span);
  context.run(bands.count,
              [&](Index band, int worker) { detail::render_band(profile, points, bands, band, map, scratch[worker]); });
}

}  // namespace nucdet::label
