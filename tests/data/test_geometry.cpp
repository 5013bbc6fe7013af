#include <cmath>

#include "nucdet/data/geometry.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

TEST_CASE("geometry: what is drawn stays within the settings and fills them") {
  const Geometry settings{.rotation = 30, .mirror = true, .scale = 0.25, .elastic = 0};
  RandomStream random{6, 1};
  double widest = 0, largest = 1, smallest = 1;
  int mirrored = 0;
  for (int k = 0; k < 400; ++k) {
    const Warp w = settings.draw(40, 100, 60, random);
    const double determinant = w.a * w.d - w.b * w.c, factor = std::sqrt(std::abs(determinant));
    // Columns at right angles and of one length: shape is kept.
    CHECK(w.a * w.b + w.c * w.d == Approx(0).margin(1e-12));
    CHECK(std::hypot(w.a, w.c) == Approx(std::hypot(w.b, w.d)));
    const double angle = std::atan2(-w.b, w.d) * 57.29577951308232;
    mirrored += determinant < 0 ? 1 : 0;
    widest = std::max(widest, std::abs(angle)), largest = std::max(largest, factor),
    smallest = std::min(smallest, factor);
    // An upright crop of this size would lie inside the image.
    CHECK((w.centre.x >= 19.5 && w.centre.x <= 79.5 && w.centre.y >= 19.5 && w.centre.y <= 39.5));
    CHECK_FALSE(w.elastic.active());
  }
  CHECK((widest <= 30 && widest > 28));
  CHECK((largest <= 1.25 + 1e-12 && largest > 1.22));
  CHECK((smallest >= 0.8 - 1e-12 && smallest < 0.82));
  CHECK(mirrored == Approx(200).margin(40));
}

TEST_CASE("geometry: none() is an upright window; an image smaller than the crop is met everywhere") {
  RandomStream random{6, 2};
  double left = 1e9, right = -1e9;
  for (int k = 0; k < 200; ++k) {
    const Warp w = Geometry::none().draw(64, 500, 30, random);
    CHECK((w.a == 1 && w.b == 0 && w.c == 0 && w.d == 1));
    const Point first = w.source_of({0, 0}), last = w.source_of({63, 63});
    CHECK((first.x >= -0.5 && last.x <= 499.5));
    CHECK((last.x - first.x == Approx(63) && last.y - first.y == Approx(63)));
    CHECK((w.centre.y >= -0.5 && w.centre.y <= 29.5));
    left = std::min(left, first.x), right = std::max(right, last.x);
  }
  CHECK((left < 10 && right > 490));  // the borders are seen
}

TEST_CASE("geometry: elastic displacements are smooth, bounded, one-to-one at the limit, and can be undone") {
  RandomStream random{6, 3};
  const Geometry strongest{.scale = 0.1, .elastic = 6.4, .elastic_spacing = 32};
  CHECK_NOTHROW(strongest.check());
  double largest = 0, smallest_area = 1e9, worst = 0;
  for (int k = 0; k < 10; ++k) {
    const Warp w = strongest.draw(96, 300, 300, random);
    const double sign = w.a * w.d > w.b * w.c ? 1 : -1, step = 1e-4;
    for (double v = -40; v < 136; v += 7)
      for (double u = -40; u < 136; u += 7) {  // beyond the crop too: points are kept there
        const Point e = w.elastic.at(u, v), s = w.source_of({u, v}), sx = w.source_of({u + step, v}),
                    sy = w.source_of({u, v + step});
        largest = std::max({largest, std::abs(e.x), std::abs(e.y)});
        const double area = (sx.x - s.x) * (sy.y - s.y) - (sx.y - s.y) * (sy.x - s.x);
        smallest_area = std::min(smallest_area, sign * area / (step * step));
        worst = std::max(worst, squared_distance(w.crop_of(s), {u, v}));
      }
  }
  CHECK((largest <= 6.4 && largest > 2));
  CHECK(smallest_area > 0.2);
  CHECK(std::sqrt(worst) < 1e-6);
}

TEST_CASE("geometry: a nucleus far off its place by a wide elastic field still has its point") {
  RandomStream random{1, 2};
  const Geometry wide{.scale = 0.1, .elastic = 40, .elastic_spacing = 200};
  const Index size = 64;
  const double margin = 24, edge = 63 + margin;
  int shown = 0, lost = 0;
  for (int k = 0; k < 60; ++k) {
    const Warp w = wide.draw(size, 1000, 1000, random);
    for (double v = -margin; v <= edge; v += 3)
      for (double u = -margin; u <= edge; u += 3) {
        const Point source = w.source_of({u, v});
        if (!(source.x >= 0 && source.y >= 0 && source.x <= 999 && source.y <= 999)) continue;
        const auto found = warp_points(w, {source}, 1000, 1000, margin + 1e-6);
        shown += 1;
        lost += std::none_of(found.begin(), found.end(),
                             [&](Point p) {
                               return squared_distance(p, {u, v}) < 1e-9;
                             })
                    ? 1
                    : 0;
      }
  }
  CHECK(shown > 50000);
  CHECK(lost == 0);
}

TEST_CASE("geometry: errors name the setting and its range") {
  CHECK_THROWS_WITH((Geometry{.elastic = 7, .elastic_spacing = 32}.check()),
                    Catch::Matchers::Contains("elastic is 7") && Catch::Matchers::Contains("6.4"));
  CHECK_THROWS_WITH(Geometry{.rotation = -1}.check(), Catch::Matchers::Contains("rotation -1"));
  CHECK_THROWS_AS((Geometry{.elastic = 0, .elastic_spacing = 2}.check()), ArgumentError);
  CHECK_THROWS_AS(Geometry{.elastic = NAN}.check(), ArgumentError);
}
