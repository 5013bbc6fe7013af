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

/// What a mask's values stand for.
enum class MaskValues {
  nuclei,   ///< a value is a nucleus, in one piece or in a few
  classes,  ///< a few values in many pieces: a piece is a nucleus, its value the class
  one       ///< a piece is a nucleus
};

struct MaskNuclei {
  MaskValues values = MaskValues::nuclei;
  std::vector<Point> centroids{};
  std::vector<std::uint32_t> value_of{};  ///< by nucleus
  std::size_t pieces = 0, labels = 0;     ///< in the mask
  double largest = 0;                     ///< pixels of the largest nucleus
};

/// The nuclei of runs in row-major order. Pixels that touch, also at corners, are one piece.
MaskNuclei nuclei_of(const std::vector<LabelRun>& runs);

}  // namespace nucdet::io::detail
