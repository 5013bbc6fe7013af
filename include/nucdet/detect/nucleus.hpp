#pragma once
#include <vector>

#include "nucdet/core/class_names.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/core/point.hpp"

namespace nucdet {

/// A detected nucleus: its centre in pixels of the image it was found in, the response at it, and what it is.
struct Nucleus {
  Point centre;
  float score = 0;
  int class_id = kUnknownClass;  ///< by a network with classes, its place among their names
  float class_probability = 0;   ///< of that class, in (0, 1]; 0 where the class is not known
};

std::vector<Point> centres_of(const std::vector<Nucleus>& nuclei);

std::vector<int> classes_of(const std::vector<Nucleus>& nuclei);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<Point> centres_of(const std::vector<Nucleus>& nuclei) {
  std::vector<Point> points;
  points.reserve(nuclei.size());
  for (const Nucleus& nucleus : nuclei) points.push_back(nucleus.centre);
  return points;
}

NUCDET_INLINE std::vector<int> classes_of(const std::vector<Nucleus>& nuclei) {
  std::vector<int> classes;
  classes.reserve(nuclei.size());
  for (const Nucleus& nucleus : nuclei) classes.push_back(nucleus.class_id);
  return classes;
}

#endif

}  // namespace nucdet
