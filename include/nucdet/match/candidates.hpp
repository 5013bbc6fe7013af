#pragma once
#include <algorithm>

#include "nucdet/match/matching.hpp"

namespace nucdet::match::detail {

/// Points sorted into square cells a hair wider than the gate (so that rounding loses none), so that a point's partners
/// lie in 3 x 3 cells.
class CellGrid {
 public:
  CellGrid(std::span<const Point> points, double gate) : size_(1.001 * gate) {
    for (std::size_t i = 0; i < points.size(); ++i)
      cells_.push_back({column(points[i].y), column(points[i].x), static_cast<Index>(i)});
    std::sort(cells_.begin(), cells_.end());
  }
  /// Calls visit(index) for the points of the 3 x 3 cells around p.
  template <class Visit>
  void around(Point p, Visit&& visit) const {
    const Index row = column(p.y), middle = column(p.x);
    for (Index r = row - 1; r <= row + 1; ++r) {
      auto cell = std::lower_bound(cells_.begin(), cells_.end(), Entry{r, middle - 1, -1});
      for (; cell != cells_.end() && cell->row == r && cell->column <= middle + 1; ++cell) visit(cell->point);
    }
  }

 private:
  struct Entry {
    Index row, column, point;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };
  Index column(double x) const { return static_cast<Index>(std::floor(std::clamp(x / size_, -1e15, 1e15))); }

  double size_;
  std::vector<Entry> cells_;
};

/// All pairs within the gate (inclusive), ordered by predicted point, then by true point.
inline std::vector<Candidate> candidates_within(std::span<const Point> predicted, std::span<const Point> truth,
                                                double gate) {
  const CellGrid grid(truth, gate);
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const std::size_t first = found.size();
    grid.around(predicted[i], [&](Index j) {
      const double squared = squared_distance(predicted[i], truth[static_cast<std::size_t>(j)]);
      if (squared <= gate * gate) found.push_back({static_cast<Index>(i), j, std::sqrt(squared)});
    });
    std::sort(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(),
              [](const Candidate& a, const Candidate& b) { return a.truth < b.truth; });
  }
  return found;
}

}  // namespace nucdet::match::detail
