#pragma once
#include <cmath>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/view.hpp"
#include "nucdet/detect/nucleus.hpp"

namespace nucdet::detect {

/// Centroids of the connected regions (8 neighbours) of at least a threshold: for maps of pixel classifiers.
struct ComponentCentroids {
  float threshold = 0.5f;
  Index least_area = 1;  ///< pixels; smaller regions are dropped

  /// map: [1, H, W, 1]. In row-major order of each region's first pixel; score: the region's highest response. Throws
  /// NumericError for NaN, ShapeError for another shape, ArgumentError for a threshold that is NaN.
  std::vector<Nucleus> operator()(View<const float> map) const;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<Nucleus> ComponentCentroids::operator()(View<const float> map) const {
  if (std::isnan(threshold)) throw ArgumentError("ComponentCentroids: threshold is NaN");
  if (map.shape.n != 1 || map.shape.c != 1)
    throw ShapeError(message("ComponentCentroids: map is ", map.shape, ", wanted 1xHxWx1"));
  const Index h = map.shape.h, w = map.shape.w;
  std::vector<bool> seen(static_cast<std::size_t>(h * w), false);
  std::vector<Nucleus> found;
  std::vector<Index> open;
  for (Index start = 0; start < h * w; ++start) {
    double x = 0, y = 0, area = 0;
    float score = 0;
    const auto visit = [&](Index at) {
      if (seen[static_cast<std::size_t>(at)]) return;
      const float value = map(0, at / w, at % w, 0);
      if (std::isnan(value))
        throw NumericError(message("ComponentCentroids: the response at (", at % w, ", ", at / w, ") is NaN"));
      if (!(value >= threshold)) return;
      seen[static_cast<std::size_t>(at)] = true;
      open.push_back(at);
    };
    for (visit(start); !open.empty();) {
      const Index at = open.back(), row = at / w, column = at % w;
      open.pop_back();
      const float value = map(0, row, column, 0);
      score = area == 0 || value > score ? value : score;
      x += static_cast<double>(column), y += static_cast<double>(row), area += 1;
      for (Index r = row > 0 ? row - 1 : 0; r <= row + 1 && r < h; ++r)
        for (Index c = column > 0 ? column - 1 : 0; c <= column + 1 && c < w; ++c) visit(r * w + c);
    }
    if (area >= static_cast<double>(least_area) && area > 0) found.push_back({{x / area, y / area}, score});
  }
  return found;
}

#endif

}  // namespace nucdet::detect
