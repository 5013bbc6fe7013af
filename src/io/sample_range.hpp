#pragma once
#include <string>
#include <string_view>

#include "nucdet/io/samples.hpp"

namespace nucdet::io::detail {

/// The values that stand for black and for white.
struct SampleRange {
  double black = 0, white = 1;
  std::string note{};  ///< what a user should know; empty where there is nothing to say

  bool same_values(const SampleRange& other) const { return black == other.black && white == other.white; }
};

/// What was seen of the values of a picture.
struct ValuesSeen {
  double least = 0, most = 0;
  bool finite = true;
};

/// Bytes of a sample.
Index size_of(SampleType type);
/// The range that a type has where nothing else is known.
SampleRange full_range(SampleType type);
/// The range that the values of a picture evidently have. A bright field picture has bright places: so the depth of a
/// camera (8, 10, 12, 14 bits) shows in the largest value, and a 16-bit picture with values from 16384 up is taken as
/// it is. `hinted_bits`: a depth below the type's own that the file speaks of (0: none), taken where no value is above
/// it. Throws IoError, in the name of `where`, for negative or non-finite values and where the range cannot be told.
SampleRange evident_range(SampleType type, const ValuesSeen& seen, int hinted_bits, std::string_view where);

}  // namespace nucdet::io::detail
