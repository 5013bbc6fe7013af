#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "nucdet/core/area.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/core/view.hpp"
#include "nucdet/data/warp.hpp"

namespace nucdet::data {

/// Which pixels of an image count: those whose centre does. Drawn once for an image, so that a crop of it asks no
/// polygon.
class CountedPixels {
 public:
  /// All, of an image of any size.
  CountedPixels() = default;
  /// Throws ArgumentError for a corner that is not finite or more than 1e9 pixels from 0.
  CountedPixels(const Areas& areas, Index height, Index width);

  /// True if no areas were given.
  bool everywhere() const { return inside_.empty(); }
  /// How many; for areas alone.
  Index count() const { return before_.empty() ? 0 : before_.back(); }
  /// The k-th of them, row by row.
  Point pixel(Index k) const;
  Index height() const { return height_; }
  Index width() const { return width_; }
  /// Whether the pixel nearest to a place counts; beyond the image it is reflected, as pixels are.
  bool at(Point p) const {
    if (everywhere()) return true;
    const Index x = reflect(static_cast<Index>(std::floor(p.x + 0.5)), width_),
                y = reflect(static_cast<Index>(std::floor(p.y + 0.5)), height_);
    return inside_[static_cast<std::size_t>(y * width_ + x)] != 0;
  }

 private:
  void fill(const Area& area, std::vector<std::uint8_t>& pixels) const;

  Index height_ = 0, width_ = 0;
  std::vector<std::uint8_t> inside_;
  std::vector<Index> before_;  ///< counted pixels in the rows above each, and last in all
};

/// Writes 1 to the pixels of a map that count, 0 to the others. size: height and width, in pixels, of what the map is
/// of, which may be larger; source_of: from a place there to one in the image that `counted` is of. map: {1, h, w, 1}.
template <class SourceOf>
void draw_counted(const CountedPixels& counted, const Shape& size, const SourceOf& source_of, View<float> map) {
  const double sy = static_cast<double>(size.h) / static_cast<double>(map.shape.h),
               sx = static_cast<double>(size.w) / static_cast<double>(map.shape.w);
  for (Index y = 0; y < map.shape.h; ++y)
    for (Index x = 0; x < map.shape.w; ++x) {
      const Point p{(static_cast<double>(x) + 0.5) * sx - 0.5, (static_cast<double>(y) + 0.5) * sy - 0.5};
      map(0, y, x, 0) = counted.everywhere() || counted.at(source_of(p)) ? 1.0f : 0.0f;
    }
}

/// Moves a crop that shows nothing that counts, of which nothing can be learnt, to where something does: about a
/// counted pixel, each as likely, and as Geometry places crops, within the image where there is room.
void aim(Warp& warp, const CountedPixels& counted, RandomStream& random);

#ifdef NUCDET_INLINE

NUCDET_INLINE CountedPixels::CountedPixels(const Areas& areas, Index height, Index width)
    : height_(height), width_(width) {
  if (areas.everywhere()) return;
  const std::size_t count = static_cast<std::size_t>(height * width);
  std::vector<std::uint8_t> ignored(count, 0);
  inside_.assign(count, areas.regions.empty() ? 1 : 0);
  for (const Area& area : areas.regions) fill(area, inside_);
  for (const Area& area : areas.ignored) fill(area, ignored);
  before_.push_back(0);
  for (std::size_t i = 0; i < count; ++i) inside_[i] = inside_[i] != 0 && ignored[i] == 0 ? 1 : 0;
  for (Index y = 0; y < height; ++y) {
    const auto row = inside_.begin() + static_cast<std::ptrdiff_t>(y * width);
    before_.push_back(before_.back() +
                      static_cast<Index>(std::count(row, row + static_cast<std::ptrdiff_t>(width), 1)));
  }
}

NUCDET_INLINE Point CountedPixels::pixel(Index k) const {
  const Index y = static_cast<Index>(std::upper_bound(before_.begin(), before_.end(), k) - before_.begin()) - 1;
  Index x = -1;
  for (Index left = k - before_[static_cast<std::size_t>(y)]; left >= 0;)
    left -= inside_[static_cast<std::size_t>(y * width_ + ++x)] != 0 ? 1 : 0;
  return {static_cast<double>(x), static_cast<double>(y)};
}

/// A pixel is inside if the number of crossings to its right is odd: between the first and the second of a row, the
/// third and the fourth, and so on. The same numbers as Area::contains compares.
NUCDET_INLINE void CountedPixels::fill(const Area& area, std::vector<std::uint8_t>& pixels) const {
  std::vector<std::vector<double>> crossings(static_cast<std::size_t>(height_));
  area.visit_edges([&](Point a, Point b) {
    for (const double v : {a.x, a.y, b.x, b.y})
      if (!(std::abs(v) <= 1e9))
        throw ArgumentError(message("CountedPixels: a corner of an area is at ", v, ", must be within 1e9 pixels"));
    const double low = std::max(std::min(a.y, b.y), 0.0),
                 high = std::min(std::max(a.y, b.y), static_cast<double>(height_ - 1));
    double x = 0;
    for (Index y = static_cast<Index>(low); static_cast<double>(y) <= high; ++y)
      if (crosses(a, b, static_cast<double>(y), x)) crossings[static_cast<std::size_t>(y)].push_back(x);
  });
  const auto column = [&](double x) {
    return static_cast<std::ptrdiff_t>(std::clamp(std::ceil(x), 0.0, static_cast<double>(width_)));
  };
  for (Index y = 0; y < height_; ++y) {
    std::vector<double>& at = crossings[static_cast<std::size_t>(y)];
    std::sort(at.begin(), at.end());
    const auto row = pixels.begin() + static_cast<std::ptrdiff_t>(y * width_);
    for (std::size_t i = 1; i < at.size(); i += 2)
      std::fill(row + column(at[i - 1]), row + column(at[i]), std::uint8_t{1});
  }
}

NUCDET_INLINE void aim(Warp& warp, const CountedPixels& counted, RandomStream& random) {
  if (counted.everywhere() || counted.count() == 0) return;
  constexpr Index step = 8;  // a part that is smaller teaches little
  for (Index v = step / 2; v < warp.size; v += step)
    for (Index u = step / 2; u < warp.size; u += step)
      if (counted.at(warp.source_of({static_cast<double>(u), static_cast<double>(v)}))) return;
  const Point to = counted.pixel(random.below(counted.count()));
  const double size = static_cast<double>(warp.size);
  const auto place = [&](double at, Index extent) {
    const double room = static_cast<double>(extent), edge = room > size ? 0.5 * size : 0.0;
    return std::clamp(at + random.uniform(-0.25, 0.25) * size, edge - 0.5, room - edge - 0.5);
  };
  warp.centre.x = place(to.x, counted.width()), warp.centre.y = place(to.y, counted.height());
}

#endif

}  // namespace nucdet::data
