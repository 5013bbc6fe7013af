#pragma once
#include <string>

#include "nucdet/io/density.hpp"

#include "brush.hpp"

/// What pictures of densities share: colours and legend.
namespace nucdet::io::detail {

/// A smaller picture is enlarged, so that the legend fits.
inline constexpr Index kLeastDensitySide = 400;

/// Nuclei per mm2 of the brightest colour for a map that has up to `highest`: rounded up.
double brightest_density(double highest);

/// Lays a map's colours over the first `height` rows of a picture whose pixels are um_x x um_y large. Where there are
/// no nuclei the picture stays as it is.
void lay_density(Image& picture, Index height, const DensityMap& map, double um_x, double um_y, double most,
                 float opacity);

/// A strip below a picture: the colours' values, a scale bar, and what a line in the picture stands for.
struct DensityLegend {
  double um = 0;       ///< a pixel is wide
  double most = 0;     ///< nuclei per mm2 of the brightest colour; 0: there are no colours
  std::string line{};  ///< what the line stands for; empty: there is none
  Colour line_colour{};
  Index scale = 1;  ///< of letters and lines, for large pictures that are looked at from afar

  Index row() const { return 28 * scale; }
  Index height() const { return row() * (1 + (most > 0 ? 1 : 0) + (line.empty() ? 0 : 1)); }
};

/// Fills the last legend.height() rows of the picture.
void draw_legend(Image& picture, const DensityLegend& legend);

/// Up to seven digits.
std::string text_of(double value);

}  // namespace nucdet::io::detail
