#pragma once
#include <cstdint>
#include <ostream>

#include "nucdet/core/config.hpp"

namespace nucdet {

using Index = std::int64_t;

/// Batch, height, width, channels (NHWC). Printed as `n x h x w x c`.
struct Shape {
  Index n = 0, h = 0, w = 0, c = 0;

  NUCDET_HD constexpr Index pixels() const { return n * h * w; }
  NUCDET_HD constexpr Index count() const { return n * h * w * c; }
  friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.n << 'x' << s.h << 'x' << s.w << 'x' << s.c;
}

}  // namespace nucdet
