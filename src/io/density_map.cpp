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

/// Cells along a side of that many um.
Index cells_along(double um, double cell_um) {
  return std::max<Index>(1, static_cast<Index>(std::llround(um / cell_um)));
}

}  // namespace

NucleusCounts::NucleusCounts(Index height, Index width, const PixelSize& pixel_size, const DensityOptions& options)
    : pixel_size_(pixel_size), options_(options) {
  check_density(height, width, pixel_size, options);
  height_um_ = static_cast<double>(height) * pixel_size.y, width_um_ = static_cast<double>(width) * pixel_size.x;
  rows_ = cells_along(height_um_, options.cell_um), columns_ = cells_along(width_um_, options.cell_um);
  counts_.resize(static_cast<std::size_t>(rows_ * columns_));
}

void NucleusCounts::add(Point p) {
  const auto cell = [&](double um, Index n) { return std::min(n - 1, static_cast<Index>(um / options_.cell_um)); };
  const double x = (p.x + 0.5) * pixel_size_.x, y = (p.y + 0.5) * pixel_size_.y;
  if (!(x >= 0 && y >= 0 && x <= width_um_ && y <= height_um_)) return;
  ++counts_[static_cast<std::size_t>(cell(y, rows_) * columns_ + cell(x, columns_))];
  ++total_;
}

DensityMap NucleusCounts::map() const {
  DensityMap map;
  map.cell_um = options_.cell_um, map.height_um = height_um_, map.width_um = width_um_;
  std::vector<double> counts = counts_, areas(counts.size());
  const auto side = [&](Index i, Index n, double um) {
    return i + 1 == n ? um - static_cast<double>(i) * map.cell_um : map.cell_um;
  };
  for (Index y = 0; y < rows_; ++y)
    for (Index x = 0; x < columns_; ++x)
      areas[static_cast<std::size_t>(y * columns_ + x)] =
          side(y, rows_, height_um_) * side(x, columns_, width_um_) * 1e-6;
  if (options_.sigma_um > 0)
    for (std::vector<double>* values : {&counts, &areas})
      smooth_cells(*values, rows_, columns_, options_.sigma_um / map.cell_um);
  map.per_mm2 = make_plane(rows_, columns_);
  for (std::size_t i = 0; i < counts.size(); ++i) map.per_mm2.data()[i] = static_cast<float>(counts[i] / areas[i]);
  return map;
}

DensityMap density_map(std::span<const Point> points, Index height, Index width, const PixelSize& pixel_size,
                       const DensityOptions& options) {
  NucleusCounts counts(height, width, pixel_size, options);
  for (const Point& p : points) counts.add(p);
  return counts.map();
}

}  // namespace nucdet::io
