#pragma once
#include <string_view>
#include <vector>

#include "nucdet/core/class_names.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/core/point.hpp"

namespace nucdet {

/// Nucleus centres, and their classes where there are any.
struct AnnotatedPoints {
  std::vector<Point> points{};
  std::vector<int> classes{};  ///< as many as points, kUnknownClass where it is not known; or empty: none is known

  int class_of(std::size_t i) const { return classes.empty() ? kUnknownClass : classes[i]; }
  friend bool operator==(const AnnotatedPoints&, const AnnotatedPoints&) = default;
};

/// Throws ArgumentError, in the name of `where`, unless there are no classes or one a point, each kUnknownClass or a
/// number below kMostClasses.
void check_classes(std::string_view where, std::size_t points, const std::vector<int>& classes);

#ifdef NUCDET_INLINE

NUCDET_INLINE void check_classes(std::string_view where, std::size_t points, const std::vector<int>& classes) {
  if (!classes.empty() && classes.size() != points)
    throw ArgumentError(message(where, ": ", classes.size(), " classes for ", points, " points"));
  for (const int c : classes)
    if (c < kUnknownClass || c >= kMostClasses)
      throw ArgumentError(
          message(where, ": a class is ", c, ", wanted ", kUnknownClass, " (unknown) to ", kMostClasses - 1));
}

#endif

}  // namespace nucdet
