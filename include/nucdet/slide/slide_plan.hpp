#pragma once
#include <vector>

#include "nucdet/core/point.hpp"
#include "nucdet/data/resample.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/slide/pyramid_reader.hpp"
#include "nucdet/slide/tissue.hpp"

namespace nucdet::slide {

/// How a slide is looked at: which level is read, what it becomes in reference pixels, and which tiles of those are
/// looked at. The tiles' lattice is the whole slide's, whatever part of it is wanted, so that a part has the nuclei of
/// the whole.
struct SlidePlan {
  /// um_per_pixel: of level 0.
  SlidePlan(const Slide& slide, double um_per_pixel);

  Index level = 0;
  Index level_height = 0, level_width = 0;
  double scale = 1;                           ///< reference pixels a pixel of the level
  double downsample_x = 1, downsample_y = 1;  ///< pixels of level 0 a pixel of the level
  Shape reference{1, 0, 0, 3};                ///< the whole slide in reference pixels

  /// From reference pixels to pixels of level 0.
  Point to_level0(Point p) const;
  /// The pixels of level 0 that a rectangle of reference pixels covers, and no less.
  Rectangle to_level0(const Rectangle& r) const;
  /// The pixels of the level that a rectangle of reference pixels is made of.
  Rectangle source_of(const Rectangle& r) const;

  /// The tiles of a detector's lattice with no more of each core than a rectangle that has all its tissue, and what has
  /// to be read for that; a device that prepares for one shape of tiles gets them as they are.
  std::vector<detect::TileRegion> tiles_on(const TissueMask& tissue, std::vector<detect::TileRegion> tiles,
                                           const detect::TileGrid& grid) const;
  /// The numbers of the tiles whose cores touch tissue within `region` of level 0.
  std::vector<Index> wanted(const std::vector<detect::TileRegion>& tiles, const TissueMask& tissue,
                            const Rectangle& region) const;

 private:
  /// A core and a pixel around it.
  Rectangle around_core(const detect::TileRegion& tile) const;
};

}  // namespace nucdet::slide
