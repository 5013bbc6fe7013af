#include "nucdet/slide/slide_plan.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/io/csv.hpp"

#include "rectangles.hpp"

namespace nucdet::slide {

namespace {

constexpr double kReferenceUm = io::ManifestEntry::kReferenceMpp;

}  // namespace

SlidePlan::SlidePlan(const Slide& slide, double um_per_pixel)
    : level(level_for(slide.levels(), um_per_pixel, kReferenceUm)) {
  const Level& read = slide.levels()[static_cast<std::size_t>(level)];
  level_height = read.height, level_width = read.width;
  downsample_x = read.downsample_x, downsample_y = read.downsample_y;
  scale = um_per_pixel * std::sqrt(downsample_x * downsample_y) / kReferenceUm;
  constexpr double kAsItIs = 0.01;  // a level's size is whole pixels, and a scanner's pixel is not that exact
  if (level > 0 && std::abs(scale - 1) < kAsItIs) scale = 1;
  data::check_scale(scale);
  reference.h = data::scaled_size(level_height, scale), reference.w = data::scaled_size(level_width, scale);
}

Point SlidePlan::to_level0(Point p) const {
  return {(p.x + 0.5) / scale * downsample_x - 0.5, (p.y + 0.5) / scale * downsample_y - 0.5};
}

Rectangle SlidePlan::to_level0(const Rectangle& r) const {
  const auto from = [&](Index begin, double d) {
    return static_cast<Index>(std::floor(static_cast<double>(begin) / scale * d));
  };
  const auto to = [&](Index end, double d) {
    return static_cast<Index>(std::ceil(static_cast<double>(end) / scale * d));
  };
  const Index x = from(r.x, downsample_x), y = from(r.y, downsample_y);
  return {x, y, to(r.x + r.width, downsample_x) - x, to(r.y + r.height, downsample_y) - y};
}

Rectangle SlidePlan::source_of(const Rectangle& r) const {
  if (scale == 1) return r;
  const data::PixelSpan down = data::source_span(level_height, r.y, r.height, scale);
  const data::PixelSpan across = data::source_span(level_width, r.x, r.width, scale);
  return {across.begin, down.begin, across.end - across.begin, down.end - down.begin};
}

std::vector<Index> SlidePlan::wanted(const std::vector<detect::TileRegion>& tiles, const TissueMask& tissue,
                                     const Rectangle& region) const {
  std::vector<Index> numbers;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    // A peak's pixel is the tile's, its centre may be half a pixel beside it.
    const Rectangle& c = tiles[i].core;
    const Rectangle core = to_level0({c.x - 1, c.y - 1, c.width + 2, c.height + 2});
    const Rectangle both = detail::shared_part(core, region);
    if (both.width > 0 && both.height > 0 && tissue.touches(core)) numbers.push_back(static_cast<Index>(i));
  }
  return numbers;
}

}  // namespace nucdet::slide
