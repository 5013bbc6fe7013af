#pragma once
#include "nucdet/slide/tissue.hpp"

namespace nucdet::slide::detail {

/// The cells of a mask: as near to options.cell_um as whole ones are that cover the slide, and no smaller than a pixel
/// of the level that is read for them.
struct CellGrid {
  Index level = 0, width = 0, height = 0;
  double um_x = 0, um_y = 0;  ///< of a cell

  TissueMask mask(const Slide& slide, std::vector<std::uint8_t> cells) const {
    return {width, height, static_cast<double>(slide.width()) / static_cast<double>(width),
            static_cast<double>(slide.height()) / static_cast<double>(height), std::move(cells)};
  }
};

/// `um_per_pixel`, or where it is 0 what the slide says, which may be nothing.
inline io::PixelSize pixel_size_of(const Slide& slide, double um_per_pixel) {
  return um_per_pixel == 0 ? slide.pixel_size() : io::PixelSize{um_per_pixel, um_per_pixel, "asked for"};
}

/// `um_per_pixel`: as pixel_size_of. Throws ArgumentError for options of
/// no sense, sizes below 0 and more than 100 million cells.
CellGrid grid_of(const Slide& slide, double um_per_pixel, const TissueOptions& options);

}  // namespace nucdet::slide::detail
