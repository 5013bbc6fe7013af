#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "nucdet/core/area.hpp"
#include "nucdet/core/config.hpp"

namespace nucdet {

/// An area that is asked for many points: its edges by bands of height, so that a look takes those beside the point
/// alone. The same answers as the area's, to the bit.
class AreaIndex {
 public:
  explicit AreaIndex(const Area& area);

  bool contains(Point p) const {
    if (!(p.y >= top_ && p.y <= bottom_)) return false;
    const std::size_t band = band_of(p.y);
    bool inside = false;
    for (std::size_t i = begin_[band]; i < begin_[band + 1]; ++i) {
      double x = 0;
      if (crosses(edges_[i][0], edges_[i][1], p.y, x) && p.x < x) inside = !inside;
    }
    return inside;
  }

 private:
  std::size_t band_of(double y) const {
    const double band = std::floor((y - top_) * bands_of_one_);
    return std::min(begin_.size() - 2, static_cast<std::size_t>(std::max(0.0, band)));
  }

  static constexpr double kFar = std::numeric_limits<double>::infinity();
  double top_ = kFar, bottom_ = -kFar;
  double bands_of_one_ = 0;               ///< bands a pixel of height
  std::vector<std::size_t> begin_{0, 0};  ///< of each band's edges, and the end
  std::vector<std::array<Point, 2>> edges_{};
};

/// The same of where annotations and detections count; everywhere, unless something is said.
class AreasIndex {
 public:
  AreasIndex() = default;
  explicit AreasIndex(const Areas& areas)
      : regions_(areas.regions.begin(), areas.regions.end()), ignored_(areas.ignored.begin(), areas.ignored.end()) {}

  bool everywhere() const { return regions_.empty() && ignored_.empty(); }
  bool count(Point p) const {
    const auto holds = [&](const AreaIndex& area) { return area.contains(p); };
    return (regions_.empty() || std::any_of(regions_.begin(), regions_.end(), holds)) &&
           std::none_of(ignored_.begin(), ignored_.end(), holds);
  }

 private:
  std::vector<AreaIndex> regions_{}, ignored_{};
};

#ifdef NUCDET_INLINE

NUCDET_INLINE AreaIndex::AreaIndex(const Area& area) {
  std::size_t count = 0;
  double heights = 0;
  area.visit_edges([&](Point a, Point b) {
    top_ = std::min(top_, b.y), bottom_ = std::max(bottom_, b.y);
    heights += std::abs(b.y - a.y), ++count;
  });
  // As many bands as edges, but fewer where edges are long: each stands in all that it goes through.
  constexpr double kMostPlaces = 8;  // of an edge, in the mean
  const double height = bottom_ - top_, edges = static_cast<double>(count);
  const bool flat = !(height > 0 && std::isfinite(height) && std::isfinite(heights));
  const double bands = flat ? 1 : std::floor(std::clamp(kMostPlaces * edges * height / heights, 1.0, edges));
  bands_of_one_ = flat ? 0 : bands / height;
  begin_.assign(static_cast<std::size_t>(bands) + 1, 0);
  const auto visit = [&](const auto& place) {
    area.visit_edges([&](Point a, Point b) {
      if (a.y == b.y) return;  // it is crossed at no height
      for (std::size_t i = band_of(std::min(a.y, b.y)); i <= band_of(std::max(a.y, b.y)); ++i) place(i, a, b);
    });
  };
  visit([&](std::size_t band, Point, Point) { ++begin_[band + 1]; });
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  edges_.resize(begin_.back());
  std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
  visit([&](std::size_t band, Point a, Point b) { edges_[next[band]++] = {a, b}; });
}

#endif

}  // namespace nucdet
