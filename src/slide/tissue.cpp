#include "nucdet/slide/tissue.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nucdet/core/error.hpp"

#include "cell_grid.hpp"
#include "cell_means.hpp"
#include "cell_shapes.hpp"
#include "tissue_cells.hpp"

namespace nucdet::slide {

namespace {

/// The cell in which `at` lies, where cell i begins at i * size: by these products alone, so that everything that asks
/// for a cell agrees to the last bit. Clamped to [-1, cells].
Index cell_at(double at, double size, Index cells) {
  const double guess = std::floor(at / size);
  if (!(guess >= -1)) return -1;
  if (guess > static_cast<double>(cells)) return cells;
  auto cell = static_cast<Index>(guess);
  if (static_cast<double>(cell + 1) * size <= at) ++cell;
  if (static_cast<double>(cell) * size > at) --cell;
  return std::clamp<Index>(cell, -1, cells);
}

/// Cells [first, end) that share more than a border with [begin, begin + length).
struct Span {
  Index first, end;
  Span(Index begin, Index length, double size, Index cells) {
    const auto from = static_cast<double>(begin), to = static_cast<double>(begin + length);
    first = std::max<Index>(0, cell_at(from, size, cells));
    const Index last = cell_at(to, size, cells);
    end = std::min(cells, static_cast<double>(last) * size < to ? last + 1 : last);
  }
};

}  // namespace

bool TissueMask::holds(Point p) const {
  const Index x = cell_at(p.x + 0.5, cell_x, width), y = cell_at(p.y + 0.5, cell_y, height);
  return x >= 0 && y >= 0 && x < width && y < height && at(x, y);
}

Rectangle TissueMask::part_in(const Rectangle& r) const {
  if (r.width < 1 || r.height < 1) return {};
  const Span across(r.x, r.width, cell_x, width), down(r.y, r.height, cell_y, height);
  Index left = width, right = 0, top = height, bottom = 0;
  for (Index y = down.first; y < down.end; ++y)
    for (Index x = across.first; x < across.end; ++x)
      if (at(x, y)) {
        left = std::min(left, x), right = std::max(right, x + 1);
        top = std::min(top, y), bottom = std::max(bottom, y + 1);
      }
  if (left >= right) return {};
  const auto from = [](Index cell, double size) {
    return static_cast<Index>(std::floor(static_cast<double>(cell) * size));
  };
  const auto to = [](Index cell, double size) {
    return static_cast<Index>(std::ceil(static_cast<double>(cell) * size));
  };
  const Index x = from(left, cell_x), y = from(top, cell_y);
  return {x, y, to(right, cell_x) - x, to(bottom, cell_y) - y};
}

double TissueMask::pixels() const {
  const auto count = std::count_if(cells.begin(), cells.end(), [](std::uint8_t c) { return c != 0; });
  return static_cast<double>(count) * cell_x * cell_y;
}

TissueMask find_tissue(const Slide& slide, double um_per_pixel, const TissueOptions& o, const Watch& watch) {
  const detail::CellGrid grid = detail::grid_of(slide, um_per_pixel, o);
  const detail::CellMeans means = detail::cell_means(slide, grid.level, grid.width, grid.height, watch);
  const detail::Cells seeds = detail::tissue_cells(means);
  constexpr double kMostOfSlide = 0.05;  // of a small one, a speck may be all that there is
  const double least = std::min(o.smallest_um2 / (grid.um_x * grid.um_y),
                                kMostOfSlide * static_cast<double>(grid.width) * static_cast<double>(grid.height));
  detail::Cells cells = detail::grown(seeds, grid.width, o.grow_um / std::sqrt(grid.um_x * grid.um_y));
  detail::drop_specks(cells, seeds, grid.width, least);
  detail::fill_holes(cells, grid.width, least);
  return grid.mask(slide, std::move(cells));
}

TissueMask tissue_from(const io::Picture& mask, const Slide& slide) {
  // The sizes of a cell that each side allows, as a part of the slide, where it may be a cell too long or too short.
  const auto w = static_cast<double>(mask.width), h = static_cast<double>(mask.height);
  const auto slide_w = static_cast<double>(slide.width()), slide_h = static_cast<double>(slide.height());
  if (mask.width < 1 || mask.height < 1 || (w - 1) * slide_h > (h + 1) * slide_w ||
      (h - 1) * slide_w > (w + 1) * slide_h)
    throw IoError(message(mask.where, ": a mask of ", mask.width, " x ", mask.height,
                          " pixels, wanted the proportions of its slide ", slide.where(), ", ", slide.width(), " x ",
                          slide.height()));
  TissueMask tissue{mask.width, mask.height, slide_w / w, slide_h / h};
  tissue.cells.resize(static_cast<std::size_t>(mask.width * mask.height));
  std::visit(
      [&](const auto& values) {
        for (std::size_t i = 0; i < tissue.cells.size(); ++i)
          tissue.cells[i] = (values[3 * i] | values[3 * i + 1] | values[3 * i + 2]) != 0;
      },
      mask.pixels);
  return tissue;
}

TissueMask grown(TissueMask mask, double pixels) {
  if (!(pixels >= 0 && std::isfinite(pixels)))
    throw ArgumentError(message("grown: by ", pixels, " pixels, wanted 0 or more"));
  // Points so far apart lie in cells whose middles are no more than a diagonal farther apart.
  const double radius = pixels / std::min(mask.cell_x, mask.cell_y) + std::numbers::sqrt2;
  mask.cells = detail::grown(mask.cells, mask.width, radius);
  return mask;
}

TissueMask all_tissue(const Slide& slide) {
  return {1, 1, static_cast<double>(slide.width()), static_cast<double>(slide.height()), {1}};
}

}  // namespace nucdet::slide
