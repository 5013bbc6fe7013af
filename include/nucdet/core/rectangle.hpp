#pragma once
#include "nucdet/core/shape.hpp"

namespace nucdet {

/// A half-open rectangle of pixels.
struct Rectangle {
  Index x = 0, y = 0, width = 0, height = 0;

  bool holds(double px, double py) const {
    return px >= static_cast<double>(x) && py >= static_cast<double>(y) && px < static_cast<double>(x + width) &&
           py < static_cast<double>(y + height);
  }
  friend bool operator==(const Rectangle&, const Rectangle&) = default;
};

}  // namespace nucdet
