#pragma once
#include "nucdet/data/image.hpp"
#include "nucdet/io/density.hpp"
#include "nucdet/slide/tissue.hpp"

namespace nucdet::slide {

struct OverviewStyle {
  Index longest = 2000;  ///< pixels along the picture's longer side, at most
  float opacity = 0.6f;  ///< of the colours of density
  double most = 0;       ///< nuclei per mm2 of the brightest colour; 0: the map's most, rounded up
};

/// Counts nuclei of a slide for an overview. `um_per_pixel` is that of level 0; 0: as the slide says. Throws as
/// io::NucleusCounts.
io::NucleusCounts counts_for(const Slide& slide, double um_per_pixel, const io::DensityOptions& options = {});

/// What people look at: the slide from a low level with the tissue's outline, above a strip with a scale bar and the
/// tissue's area. With a map of the slide's density (io::draw_density's colours, and their legend) the slide below it
/// is grey. Where the slide does not know the size of its pixels, `um_per_pixel` is taken. Throws ArgumentError for a
/// bad style and a size that is not above 0, IoError, Stopped by the watch, which counts the blocks that are read.
Image draw_overview(const Slide& slide, double um_per_pixel, const TissueMask& tissue,
                    const io::DensityMap& density = {}, const OverviewStyle& style = {}, const Watch& watch = {});

}  // namespace nucdet::slide
