#pragma once
#include <algorithm>
#include <vector>

#include "nucdet/core/point.hpp"

namespace nucdet {

/// A part of an image: closed rings of corners, in pixels (0, 0 is the centre of the top left pixel). A point is in it
/// if a ray from it crosses an odd number of edges, so that a hole is one more ring.
struct Area {
  std::vector<std::vector<Point>> rings{};

  bool contains(Point p) const {
    bool inside = false;
    for (const std::vector<Point>& ring : rings)
      for (std::size_t i = 0, j = ring.size() - 1; i < ring.size(); j = i++) {
        const Point a = ring[i], b = ring[j];
        if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
      }
    return inside;
  }

  friend bool operator==(const Area&, const Area&) = default;
};

/// Where annotations and detections count: within one of the regions (everywhere if there are none) and in no ignored
/// area.
struct Areas {
  std::vector<Area> regions{}, ignored{};

  bool everywhere() const { return regions.empty() && ignored.empty(); }
  bool count(Point p) const {
    const auto holds = [&](const Area& area) { return area.contains(p); };
    return (regions.empty() || std::any_of(regions.begin(), regions.end(), holds)) &&
           std::none_of(ignored.begin(), ignored.end(), holds);
  }

  friend bool operator==(const Areas&, const Areas&) = default;
};

}  // namespace nucdet
