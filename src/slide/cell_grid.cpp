#include "cell_grid.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/core/error.hpp"

namespace nucdet::slide::detail {

namespace {

void check(const Slide& slide, double um_x, double um_y, const TissueOptions& o) {
  const auto size = [](double v) { return v > 0 && std::isfinite(v); };
  const auto least = [](double v) { return v >= 0 && std::isfinite(v); };
  if (!size(um_x) || !size(um_y) || !size(o.cell_um) || !least(o.grow_um) || !least(o.smallest_um2))
    throw ArgumentError(message("tissue of ", slide.where(), ": pixels of ", um_x, " x ", um_y, " um, cells of ",
                                o.cell_um, " um, grown by ", o.grow_um, " um, the smallest ", o.smallest_um2,
                                " um2: wanted sizes above 0"));
  constexpr double kMostCells = 1e8;
  const auto along = [&o](Index pixels, double um) {  // one at least
    return std::max(1.0, static_cast<double>(pixels) * um / o.cell_um);
  };
  const double cells = along(slide.width(), um_x) * along(slide.height(), um_y);
  const double pixels = static_cast<double>(slide.width()) * static_cast<double>(slide.height());
  if (std::min(cells, pixels) > kMostCells)
    throw ArgumentError(message("tissue of ", slide.where(), ": cells of ", o.cell_um, " um would be ", cells,
                                " of them, at most ", kMostCells));
}

}  // namespace

CellGrid grid_of(const Slide& slide, double um_per_pixel, const TissueOptions& o) {
  const auto [um_x, um_y, source] = pixel_size_of(slide, um_per_pixel);
  check(slide, um_x, um_y, o);
  CellGrid grid;
  grid.level = level_for(slide.levels(), std::max(um_x, um_y), o.cell_um);
  const Level& level = slide.levels()[static_cast<std::size_t>(grid.level)];
  const auto cells = [&o](double um, Index pixels) {
    return std::clamp<Index>(static_cast<Index>(std::llround(um / o.cell_um)), 1, pixels);
  };
  const double slide_x = static_cast<double>(slide.width()) * um_x,
               slide_y = static_cast<double>(slide.height()) * um_y;
  grid.width = cells(slide_x, level.width), grid.height = cells(slide_y, level.height);
  grid.um_x = slide_x / static_cast<double>(grid.width), grid.um_y = slide_y / static_cast<double>(grid.height);
  return grid;
}

}  // namespace nucdet::slide::detail
