#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "nucdet/slide/tissue.hpp"

#include "cell_grid.hpp"

namespace nucdet::slide {

namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

/// An area on a grid of cells.
class AreaOnCells {
 public:
  AreaOnCells(Index width, Index height) : width_(width), height_(height), edge_(count()), inside_(count()) {}

  /// Corners in cells: (0, 0) is the corner of the first one.
  void add(Point a, Point b) {
    if (a.y > b.y) std::swap(a, b);
    mark_edge(a, b);
    flip_behind(a, b);
  }
  /// Whether any of a cell is in the area, or all of it.
  bool any(std::size_t i) const { return edge_[i] != 0 || inside_[i] != 0; }
  bool all(std::size_t i) const { return edge_[i] == 0 && inside_[i] != 0; }

  /// After the last edge: of each row the crossings before a middle, odd or even.
  void finish() {
    for (Index y = 0; y < height_; ++y) {
      std::uint8_t odd = 0;
      for (Index x = 0; x < width_; ++x) {
        std::uint8_t& cell = inside_[index(x, y)];
        odd = cell = static_cast<std::uint8_t>(odd ^ cell);
      }
    }
  }

 private:
  std::size_t count() const { return static_cast<std::size_t>(width_ * height_); }
  std::size_t index(Index x, Index y) const { return static_cast<std::size_t>(y * width_ + x); }
  static Index cell_of(double at, Index cells) {
    return static_cast<Index>(std::clamp(std::floor(at), 0.0, static_cast<double>(cells - 1)));
  }
  /// Cells through which the edge goes, and those whose border it touches.
  void mark_edge(Point a, Point b) {
    if (b.y < 0 || a.y > static_cast<double>(height_)) return;
    const auto x_at = [&](double y) { return a.y == b.y ? b.x : a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y); };
    for (Index y = cell_of(a.y - kHair, height_); y <= cell_of(b.y + kHair, height_); ++y) {
      double from = a.x, to = b.x;
      if (a.y < b.y) {
        from = x_at(std::max(a.y, static_cast<double>(y) - kHair));
        to = x_at(std::min(b.y, static_cast<double>(y + 1) + kHair));
      }
      if (from > to) std::swap(from, to);
      if (to < 0 || from > static_cast<double>(width_)) continue;
      for (Index x = cell_of(from - kHair, width_); x <= cell_of(to + kHair, width_); ++x) edge_[index(x, y)] = 1;
    }
  }
  /// The middles of cells to the right of the edge have one more crossing on their left.
  void flip_behind(Point a, Point b) {
    for (Index y = cell_of(a.y - 1, height_); y <= cell_of(b.y + 1, height_); ++y) {
      double at = 0;
      if (!crosses(a, b, static_cast<double>(y) + 0.5, at)) continue;
      const double first = std::max(0.0, std::ceil(at - 0.5));  // the first middle that is not before it
      if (first < static_cast<double>(width_)) inside_[index(static_cast<Index>(first), y)] ^= 1;
    }
  }

  static constexpr double kHair = 1e-6;  // of a cell: what rounding may hide
  Index width_, height_;
  std::vector<std::uint8_t> edge_, inside_;
};

/// The cells around an area.
Rectangle box_of(const Area& area, const TissueMask& mask) {
  double left = kFar, top = kFar, right = -kFar, bottom = -kFar;
  area.visit_edges([&](Point, Point p) {
    left = std::min(left, p.x), right = std::max(right, p.x), top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  });
  const auto cell = [](double at, double size, Index cells) {
    return static_cast<Index>(std::clamp(std::floor((at + 0.5) / size), 0.0, static_cast<double>(cells)));
  };
  const Index x = std::max<Index>(0, cell(left, mask.cell_x, mask.width) - 1),
              y = std::max<Index>(0, cell(top, mask.cell_y, mask.height) - 1);
  return {x, y, std::min(mask.width, cell(right, mask.cell_x, mask.width) + 2) - x,
          std::min(mask.height, cell(bottom, mask.cell_y, mask.height) + 2) - y};
}

/// Calls visit(cell of the mask, whether any of it is in the area, whether all is) for the cells around an area.
template <class Visit>
void visit_cells(const Area& area, TissueMask& mask, const Visit& visit) {
  const Rectangle box = box_of(area, mask);
  if (box.width < 1 || box.height < 1) return;
  AreaOnCells cells(box.width, box.height);
  const auto placed = [&](Point p) {
    return Point{(p.x + 0.5) / mask.cell_x - static_cast<double>(box.x),
                 (p.y + 0.5) / mask.cell_y - static_cast<double>(box.y)};
  };
  area.visit_edges([&](Point a, Point b) { cells.add(placed(a), placed(b)); });
  cells.finish();
  for (Index y = 0; y < box.height; ++y)
    for (Index x = 0; x < box.width; ++x) {
      const auto i = static_cast<std::size_t>(y * box.width + x);
      visit(mask.cells[static_cast<std::size_t>((box.y + y) * mask.width + box.x + x)], cells.any(i), cells.all(i));
    }
}

}  // namespace

TissueMask tissue_in(const Areas& areas, const Slide& slide, double um_per_pixel, const TissueOptions& options) {
  const detail::CellGrid grid = detail::grid_of(slide, um_per_pixel, options);
  const auto count = static_cast<std::size_t>(grid.width * grid.height);
  TissueMask mask = grid.mask(slide, std::vector<std::uint8_t>(count, areas.regions.empty() ? 1 : 0));
  for (const Area& area : areas.regions)
    visit_cells(area, mask, [](std::uint8_t& cell, bool any, bool) { cell = any ? 1 : cell; });
  for (const Area& area : areas.ignored)
    visit_cells(area, mask, [](std::uint8_t& cell, bool, bool all) { cell = all ? 0 : cell; });
  return mask;
}

}  // namespace nucdet::slide
