#pragma once
#include <array>

#include "cell_means.hpp"
#include "cell_shapes.hpp"

namespace nucdet::slide::detail {

/// The colour of glass in light that went through nothing else, 0 to 255.
using Glass = std::array<float, 3>;

/// As the brightest even, hardly coloured cells have it; white where there are no such. What the scanner filled in
/// (black and constant grey or white) does not count.
Glass glass_of(const CellMeans& means);

/// How much a cell differs from glass, 0 to 255: by colour (largest less smallest channel), and in light.
struct Stain {
  float saturation = 0, darkness = 0;
};

/// Above one of these a cell is tissue.
struct StainThresholds {
  float saturation = 0, darkness = 0;
};

/// The cells with tissue, before their shapes are looked at.
Cells tissue_cells(const CellMeans& means);

}  // namespace nucdet::slide::detail
