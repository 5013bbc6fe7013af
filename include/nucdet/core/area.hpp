#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/point.hpp"

namespace nucdet {

/// Where an edge between two corners crosses the height y: true, and x, if it does. Of its ends the upper one belongs
/// to it, so that a line through a corner crosses once; a corner at either end gives the same bits.
inline bool crosses(Point a, Point b, double y, double& x) {
  if ((a.y > y) == (b.y > y)) return false;
  if (a.y > b.y) std::swap(a, b);
  x = (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x;
  return true;
}

/// A part of an image: closed rings of corners, in pixels (0, 0 is the centre of the top left pixel). A point is in it
/// if a ray from it to the right crosses an odd number of edges, so that a hole is one more ring. Of a border the left
/// and the upper side belong to it, so that areas side by side share no point. A ring of less than three corners holds
/// nothing.
struct Area {
  std::vector<std::vector<Point>> rings{};

  /// Calls edge(from, to) for each edge.
  template <class Edge>
  void visit_edges(const Edge& edge) const {
    for (const std::vector<Point>& ring : rings)
      for (std::size_t i = 0; i < ring.size(); ++i) edge(ring[i == 0 ? ring.size() - 1 : i - 1], ring[i]);
  }
  bool contains(Point p) const {
    bool inside = false;
    visit_edges([&](Point a, Point b) {
      double x = 0;
      if (crosses(a, b, p.y, x) && p.x < x) inside = !inside;
    });
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
  /// Adds them to what tells data apart; nothing where there are none.
  void add_to(ContentHash& hash) const {
    for (const std::vector<Area>* all : {&regions, &ignored})
      for (const Area& area : *all) {
        hash.add(static_cast<std::uint64_t>(all == &regions ? 1 : 2));
        for (const std::vector<Point>& ring : area.rings) {
          hash.add(static_cast<std::uint64_t>(ring.size()));
          for (const Point& p : ring) hash.add(p.x), hash.add(p.y);
        }
      }
  }

  friend bool operator==(const Areas&, const Areas&) = default;
};

}  // namespace nucdet
