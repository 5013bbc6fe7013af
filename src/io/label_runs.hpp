#pragma once
#include <cstdint>
#include <vector>

#include "nucdet/core/point.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet::io::detail {

/// Pixels [begin, end) of row y that have one value.
struct LabelRun {
  Index y, begin, end;
  std::uint32_t value;
};

/// Whether there are several values, so that each is a nucleus.
bool are_labels(const std::vector<LabelRun>& runs);

/// The centroids of runs in row-major order: one a value, or one a component where all have the same value.
std::vector<Point> centroids_of(const std::vector<LabelRun>& runs);

}  // namespace nucdet::io::detail
