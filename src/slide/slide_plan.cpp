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
    // A nucleus's centre lies within its peak's pixel, which is the core's.
    const Rectangle core = to_level0(tiles[i].core), both = detail::shared_part(core, region);
    if (both.width > 0 && both.height > 0 && tissue.touches(core)) numbers.push_back(static_cast<Index>(i));
  }
  return numbers;
}

Rectangle SlidePlan::around_core(const detect::TileRegion& tile) const {
  const Rectangle& c = tile.core;
  return to_level0({c.x - 1, c.y - 1, c.width + 2, c.height + 2});
}

std::vector<detect::TileRegion> SlidePlan::tiles_on(const TissueMask& tissue, std::vector<detect::TileRegion> tiles,
                                                    const detect::TileGrid& grid) const {
  if (grid.uniform) return tiles;
  struct Axis {
    Index core, core_end, read, read_end;
  };
  const auto along = [&](Index core, Index length, Index tissue_begin, Index tissue_length, double downsample,
                         Index size) {
    const double by = scale / downsample;
    const Index first = static_cast<Index>(std::floor(static_cast<double>(tissue_begin) * by)) - 1,
                last = static_cast<Index>(std::ceil(static_cast<double>(tissue_begin + tissue_length) * by)) + 1;
    const Index begin = std::max(core, std::max<Index>(0, first) / grid.alignment * grid.alignment),
                end = std::min(core + length, data::round_up(last, grid.alignment));
    return Axis{begin, end, std::max<Index>(0, begin - grid.margin), std::min(size, end + grid.margin)};
  };
  for (detect::TileRegion& tile : tiles) {
    const Rectangle &core = tile.core, part = tissue.part_in(around_core(tile));
    if (part.width == 0) continue;
    const Axis x = along(core.x, core.width, part.x, part.width, downsample_x, reference.w),
               y = along(core.y, core.height, part.y, part.height, downsample_y, reference.h);
    tile = {{x.read, y.read, x.read_end - x.read, y.read_end - y.read},
            {x.core, y.core, x.core_end - x.core, y.core_end - y.core}};
  }
  return tiles;
}

}  // namespace nucdet::slide
