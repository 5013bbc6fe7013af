#pragma once
#include <vector>

#include "nucdet/core/point.hpp"

namespace nucdet {

/// A detected nucleus: its centre in pixels of the image it was found in, and the response at it.
struct Nucleus {
  Point centre;
  float score = 0;
  int class_id = -1;
  float class_probability = 0;
};

inline std::vector<Point> centres_of(const std::vector<Nucleus>& nuclei) {
  std::vector<Point> points;
  points.reserve(nuclei.size());
  for (const Nucleus& nucleus : nuclei) points.push_back(nucleus.centre);
  return points;
}

}  // namespace nucdet
