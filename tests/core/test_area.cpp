#include <algorithm>
#include <cmath>
#include <limits>

#include "nucdet/core/area_index.hpp"
#include "nucdet/core/rng.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

std::vector<Point> box(double left, double top, double right, double bottom) {
  return {{left, top}, {right, top}, {right, bottom}, {left, bottom}};
}

}  // namespace

TEST_CASE("area: a ring in a ring is a hole, whichever way they run") {
  for (const bool turned : {false, true}) {
    Area area{{box(0, 0, 10, 10), box(4, 4, 6, 6)}};
    if (turned) std::reverse(area.rings[1].begin(), area.rings[1].end());
    CHECK(area.contains({2, 2}));
    CHECK(area.contains({9.9, 5}));
    CHECK_FALSE(area.contains({5, 5}));
    CHECK_FALSE(area.contains({-1, 5}));
    CHECK_FALSE(area.contains({5, 11}));
  }
}

TEST_CASE("area: the left and the upper border belong to it, and neighbours share no point") {
  const Area area{{box(2, 3, 8, 9)}};
  CHECK((area.contains({2, 3}) && area.contains({2, 5}) && area.contains({5, 3})));
  CHECK_FALSE((area.contains({8, 5}) || area.contains({5, 9}) || area.contains({8, 9}) || area.contains({8, 3})));
  const Point a{1.3, 0.1}, b{7.7, 9.9};  // a slanted border, once for each side
  const Area left{{{{-5, 0.1}, a, b, {-5, 9.9}}}}, right{{{b, a, {20, 0.1}, {20, 9.9}}}};
  RandomStream random{4};
  for (int i = 0; i < 2000; ++i) {
    const double t = random.uniform();
    const Point p{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
    REQUIRE(left.contains(p) != right.contains(p));
  }
}

TEST_CASE("area: rings of fewer than three corners hold nothing, a last corner may repeat the first") {
  for (const std::vector<Point>& ring :
       {std::vector<Point>{}, std::vector<Point>{{3, 3}}, std::vector<Point>{{0, 0.1}, {7, 9.3}}}) {
    const Area area{{ring}};
    for (double y = -1; y < 11; y += 0.5)
      for (double x = -1; x < 11; x += 0.5) REQUIRE_FALSE(area.contains({x, y}));
  }
  auto closed = box(0, 0, 4, 4);
  closed.push_back(closed.front());
  CHECK(Area{{closed}}.contains({2, 2}));
  CHECK_FALSE(Area{}.contains({0, 0}));
}

TEST_CASE("an index of an area gives its answers, at corners and edges too") {
  RandomStream random{9};
  const double inf = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();
  for (int round = 0; round < 400; ++round) {
    Area area;
    const bool whole = random.chance(0.5);  // whole numbers: many corners and points of one height
    const auto at = [&] { return whole ? static_cast<double>(random.below(12)) : random.uniform(0, 12); };
    for (Index rings = random.below(4); rings > 0; --rings) {
      std::vector<Point>& ring = area.rings.emplace_back();
      for (Index i = random.below(20); i > 0; --i) ring.push_back({at(), at()});
    }
    if (round % 50 == 49) area.rings.push_back({{0, inf}, {3, 1}, {none, 2}, {5, -inf}});
    const AreaIndex index(area);
    for (int i = 0; i < 300; ++i) {
      Point p{at(), at()};
      if (i % 3 == 0 && !area.rings.empty() && !area.rings[0].empty()) p.y = area.rings[0][0].y;
      REQUIRE(index.contains(p) == area.contains(p));
    }
    for (const double far : {-1.0, 13.0, inf, -inf, none})
      REQUIRE(
          (index.contains({far, 5}) == area.contains({far, 5}) && index.contains({5, far}) == area.contains({5, far})));
  }
}

TEST_CASE("an index of a region of many corners, drawn with a brush, and of zigzag edges") {
  RandomStream random{2};
  Area brush, zigzag;
  std::vector<Point>& ring = brush.rings.emplace_back();
  for (int i = 0; i < 20000; ++i) {
    const double turn = 2 * 3.14159265358979 * i / 20000,
                 radius = 1000 + 300 * std::sin(9 * turn) + random.uniform(-3, 3);
    ring.push_back({1500 + radius * std::cos(turn), 1500 + radius * std::sin(turn)});
  }
  for (int i = 0; i < 500; ++i) zigzag.rings.resize(1), zigzag.rings[0].push_back({6.0 * i, i % 2 * 3000.0});
  const Areas areas{{brush}, {zigzag}};
  const AreasIndex index(areas);
  Index inside = 0;
  for (int i = 0; i < 3000; ++i) {
    const Point p{random.uniform(0, 3000), random.uniform(0, 3000)};
    REQUIRE(index.count(p) == areas.count(p));
    inside += index.count(p) ? 1 : 0;
  }
  CHECK((inside > 300 && inside < 1500));
  CHECK((AreasIndex().everywhere() && AreasIndex().count({1e9, 0}) && !index.everywhere()));
}

TEST_CASE("areas: a point counts in any region, or anywhere without one, but in no ignored area") {
  const Area a{{box(0, 0, 10, 10)}}, b{{box(20, 0, 30, 10)}}, c{{box(5, 5, 25, 8)}};
  CHECK(Areas{}.everywhere());
  CHECK(Areas{}.count({-1e9, 7}));
  const Areas regions{{a, b}, {}}, both{{a, b}, {c}}, ignored{{}, {c}};
  CHECK((regions.count({1, 1}) && regions.count({21, 1}) && !regions.count({15, 1})));
  CHECK((both.count({1, 1}) && !both.count({7, 6}) && !both.count({15, 6}) && !both.count({15, 1})));
  CHECK((ignored.count({15, 1}) && !ignored.count({15, 6})));
  const auto hash = [](const Areas& areas) {
    ContentHash h;
    areas.add_to(h);
    return h.value();
  };
  CHECK(hash({}) == ContentHash().value());
  CHECK(hash({{a}, {}}) != hash({{}, {a}}));
  CHECK(hash(regions) != hash({{a, c}, {}}));
  CHECK_FALSE(Areas{{Area{}}, {}}.count({1, 1}));  // a region without extent: nothing counts
}
