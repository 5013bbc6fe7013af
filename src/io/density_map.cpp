#include <algorithm>
#include <cmath>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/io/density.hpp"

namespace nucdet::io {

namespace {

/// Rows of values, smoothed along both axes without regard to what lies beyond the edges.
void smooth_cells(std::vector<double>& values, Index rows, Index columns, double sigma) {
  const auto reach = static_cast<Index>(std::ceil(4 * sigma));
  std::vector<double> weights;
  for (Index k = -reach; k <= reach; ++k)
    weights.push_back(std::exp(-0.5 * static_cast<double>(k * k) / (sigma * sigma)));
  std::vector<double> line;
  const auto along = [&](Index lines, Index next_line, Index size, Index next) {
    for (Index l = 0; l < lines; ++l) {
      line.assign(static_cast<std::size_t>(size), 0.0);
      for (Index i = 0; i < size; ++i)
        for (Index j = std::max<Index>(0, i - reach); j <= std::min(size - 1, i + reach); ++j)
          line[static_cast<std::size_t>(i)] += weights[static_cast<std::size_t>(j - i + reach)] *
                                               values[static_cast<std::size_t>(l * next_line + j * next)];
      for (Index i = 0; i < size; ++i)
        values[static_cast<std::size_t>(l * next_line + i * next)] = line[static_cast<std::size_t>(i)];
    }
  };
  along(rows, columns, columns, 1);
  along(columns, 1, rows, columns);
}

void check_density(Index height, Index width, const PixelSize& pixel, const DensityOptions& o) {
  const auto size = [](double v) { return v > 0 && std::isfinite(v); };
  if (height < 1 || width < 1 || !size(pixel.x) || !size(pixel.y) || !size(o.cell_um) ||
      !(o.sigma_um >= 0 && std::isfinite(o.sigma_um)))
    throw ArgumentError(message("density_map: an image of ", width, " x ", height, " pixels of ", pixel.x, " x ",
                                pixel.y, " um, cells of ", o.cell_um, " um, sigma ", o.sigma_um, " um"));
  const double cells =
      static_cast<double>(height) * pixel.y / o.cell_um * (static_cast<double>(width) * pixel.x / o.cell_um);
  if (!(cells <= 1e8 && o.sigma_um <= 1000 * o.cell_um))
    throw ArgumentError(message("density_map: cells of ", o.cell_um, " um are too small: ", cells,
                                " of them, at most 1e+08, and a sigma of at most 1000"));
}

}  // namespace

DensityMap density_map(std::span<const Point> points, Index height, Index width, const PixelSize& pixel_size,
                       const DensityOptions& options) {
  check_density(height, width, pixel_size, options);
  DensityMap map;
  map.cell_um = options.cell_um;
  map.height_um = static_cast<double>(height) * pixel_size.y, map.width_um = static_cast<double>(width) * pixel_size.x;
  const auto cells = [&](double um) { return std::max<Index>(1, static_cast<Index>(std::llround(um / map.cell_um))); };
  const Index rows = cells(map.height_um), columns = cells(map.width_um);
  std::vector<double> counts(static_cast<std::size_t>(rows * columns)), areas(counts.size());
  const auto cell = [&](double um, Index n) { return std::min(n - 1, static_cast<Index>(um / map.cell_um)); };
  for (const Point& p : points) {
    const double x = (p.x + 0.5) * pixel_size.x, y = (p.y + 0.5) * pixel_size.y;
    if (x >= 0 && y >= 0 && x <= map.width_um && y <= map.height_um)
      ++counts[static_cast<std::size_t>(cell(y, rows) * columns + cell(x, columns))];
  }
  const auto side = [&](Index i, Index n, double um) {
    return i + 1 == n ? um - static_cast<double>(i) * map.cell_um : map.cell_um;
  };
  for (Index y = 0; y < rows; ++y)
    for (Index x = 0; x < columns; ++x)
      areas[static_cast<std::size_t>(y * columns + x)] =
          side(y, rows, map.height_um) * side(x, columns, map.width_um) * 1e-6;
  if (options.sigma_um > 0)
    for (std::vector<double>* values : {&counts, &areas})
      smooth_cells(*values, rows, columns, options.sigma_um / map.cell_um);
  map.per_mm2 = make_plane(rows, columns);
  for (std::size_t i = 0; i < counts.size(); ++i) map.per_mm2.data()[i] = static_cast<float>(counts[i] / areas[i]);
  return map;
}

}  // namespace nucdet::io
