#pragma once
#include <cstdint>
#include <vector>

#include "nucdet/core/area.hpp"
#include "nucdet/core/watch.hpp"
#include "nucdet/slide/pyramid_reader.hpp"

namespace nucdet::slide {

/// Where a slide has tissue, on a grid of square-ish cells over level 0: what was left out is glass.
struct TissueMask {
  Index width = 0, height = 0;        ///< cells
  double cell_x = 1, cell_y = 1;      ///< pixels of level 0 that a cell is wide and high
  std::vector<std::uint8_t> cells{};  ///< rows; 0: glass, else tissue

  bool at(Index x, Index y) const { return cells[static_cast<std::size_t>(y * width + x)] != 0; }
  /// Whether a point of level 0 lies in tissue; points outside of the grid do not.
  bool holds(Point p) const;
  /// The smallest rectangle of level 0 with all cells of tissue that a rectangle touches; empty if there are none.
  Rectangle part_in(const Rectangle& r) const;
  bool touches(const Rectangle& r) const { return part_in(r).width > 0; }
  /// Pixels of level 0 that are tissue.
  double pixels() const;
};

struct TissueOptions {
  double cell_um = 8;          ///< wanted size of a cell
  double grow_um = 16;         ///< tissue grows by this much, so that its border is not cut
  double smallest_um2 = 2500;  ///< smaller specks are no tissue, smaller holes in it are none
};

/// By colour and light at a low level, against the slide's own glass, with thresholds by Otsu (IEEE Trans. SMC 9:62,
/// 1979) within limits that keep pale tissue. White, black and constant grey padding is no tissue; pen marks are left
/// as tissue. `um_per_pixel` is that of level 0, as the caller takes it; 0: as the slide says. The same bits for any
/// number of threads; memory goes with the cells, not the pixels. Throws IoError, ArgumentError for options of no sense
/// and where the size of a pixel is not known, Stopped by the watch, which counts the blocks that are read.
TissueMask find_tissue(const Slide& slide, double um_per_pixel, const TissueOptions& options = {},
                       const Watch& watch = {});
/// From a picture of the whole slide, of any size, in which black is glass and every pixel a cell. Throws IoError
/// unless its sides have the slide's proportions to a cell.
TissueMask tissue_from(const io::Picture& mask, const Slide& slide);
/// From areas in pixels of level 0: cells of which anything may count. They are neither grown nor are small ones
/// dropped. Throws as find_tissue.
TissueMask tissue_in(const Areas& areas, const Slide& slide, double um_per_pixel, const TissueOptions& options = {});
/// Holds every point within so many pixels of level 0 of a cell of tissue, and no cell that is a diagonal farther off.
/// Throws ArgumentError for pixels below 0.
TissueMask grown(TissueMask mask, double pixels);
/// Everywhere.
TissueMask all_tissue(const Slide& slide);

}  // namespace nucdet::slide
