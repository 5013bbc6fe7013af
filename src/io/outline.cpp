#include "outline.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/core/ascii.hpp"

namespace nucdet::io::detail {

namespace {

/// Sums over rings: twice the area, its first moments, corners.
struct RingSums {
  Point origin{};  // near the rings, so that small rings far from 0 lose no digits
  double area = 0, x = 0, y = 0;
  double corners = 0, corner_x = 0, corner_y = 0;
  Point least{}, most{};

  explicit RingSums(Point o) : origin(o), least(o), most(o) {}

  void add(const std::vector<Point>& ring) {
    double a2 = 0, mx = 0, my = 0;
    const bool closed = ring.size() > 1 && ring.front() == ring.back();
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Point p = ring[i], q = ring[(i + 1) % ring.size()];
      const double px = p.x - origin.x, py = p.y - origin.y, qx = q.x - origin.x, qy = q.y - origin.y;
      const double cross = px * qy - qx * py;
      a2 += cross, mx += cross * (px + qx), my += cross * (py + qy);
      least = {std::min(least.x, p.x), std::min(least.y, p.y)}, most = {std::max(most.x, p.x), std::max(most.y, p.y)};
      if (closed && i + 1 == ring.size()) continue;
      ++corners, corner_x += px, corner_y += py;
    }
    // Rings turn either way: their areas add up all the same.
    const double sign = a2 < 0 ? -1 : 1;
    area += sign * a2, x += sign * mx, y += sign * my;
  }

  Point centre() const {
    const Point at{origin.x + x / (3 * area), origin.y + y / (3 * area)};
    if (at.x >= least.x && at.x <= most.x && at.y >= least.y && at.y <= most.y) return at;
    return {origin.x + corner_x / corners, origin.y + corner_y / corners};
  }
};

RingSums sums_of(const Outline& outline) {
  RingSums sums(outline.area.rings[outline.outer.front()].front());
  for (const std::size_t i : outline.outer) sums.add(outline.area.rings[i]);
  return sums;
}

}  // namespace

Point centre_of(const Outline& outline) { return sums_of(outline).centre(); }

double size_of(const Outline& outline) { return sums_of(outline).area / 2; }

std::vector<std::vector<std::size_t>> polygons_of(const Area& area) {
  const auto within = [&](std::size_t inner, std::size_t outer) {
    return inner != outer && Area{{area.rings[outer]}}.contains(area.rings[inner].front());
  };
  std::vector<std::size_t> depth(area.rings.size());
  for (std::size_t i = 0; i < depth.size(); ++i)
    for (std::size_t j = 0; j < depth.size(); ++j) depth[i] += within(i, j);
  std::vector<std::vector<std::size_t>> polygons;
  for (std::size_t i = 0; i < depth.size(); ++i) {
    if (depth[i] % 2 != 0) continue;
    polygons.push_back({i});
    for (std::size_t j = 0; j < depth.size(); ++j)
      if (depth[j] == depth[i] + 1 && within(j, i)) polygons.back().push_back(j);
  }
  return polygons;
}

void add_outline(Annotations& found, Outline outline, const std::string& class_name) {
  const std::string name = small_letters(class_name);
  if (name == "region*" || name == "region" || name == "roi") {
    found.areas.regions.push_back(std::move(outline.area));
  } else if (name == "ignore" || name.ends_with('*')) {
    found.areas.ignored.push_back(std::move(outline.area));
  } else {
    found.points.push_back(centre_of(outline));
    found.classes.push_back(class_name);
  }
}

void drop_empty_classes(Annotations& found) {
  if (std::all_of(found.classes.begin(), found.classes.end(), [](const std::string& c) { return c.empty(); }))
    found.classes.clear();
}

}  // namespace nucdet::io::detail
