// What a detector relies on: each nucleus a blue blob with its point in the middle, and no blob without a point.
#include <algorithm>
#include <cmath>

#include "nucdet/data/synthetic_tissue.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using data::synthesize;
using data::SyntheticImage;

namespace {

struct Colour {
  double red = 0, blue = 0, count = 0;
  void add(const Image& image, Index y, Index x) {
    if (y < 0 || x < 0 || y >= static_cast<Index>(image.shape(0)) || x >= static_cast<Index>(image.shape(1))) return;
    red += static_cast<double>(image(static_cast<std::size_t>(y), static_cast<std::size_t>(x), 0));
    blue += static_cast<double>(image(static_cast<std::size_t>(y), static_cast<std::size_t>(x), 2));
    count += 1;
  }
  double lightness() const { return red / count; }  // haematoxylin absorbs red, eosin hardly does
  double blueness() const { return (blue - red) / count; }
};

/// The mean colour of the pixels whose distance from p is within [from, to].
Colour ring(const Image& image, Point p, double from, double to) {
  Colour colour;
  for (Index y = static_cast<Index>(p.y - to); y <= static_cast<Index>(p.y + to) + 1; ++y)
    for (Index x = static_cast<Index>(p.x - to); x <= static_cast<Index>(p.x + to) + 1; ++x) {
      const double d = std::sqrt(squared_distance(p, {static_cast<double>(x), static_cast<double>(y)}));
      if (d >= from && d <= to) colour.add(image, y, x);
    }
  return colour;
}

}  // namespace

TEST_CASE("synthetic nuclei: darker and bluer in the middle than around, apart from those out of focus") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const SyntheticImage made = synthesize({.height = 300, .width = 300, .density = 300, .seed = seed});
    int darker = 0, bluer = 0;
    for (const Point& p : made.points) {
      const Colour middle = ring(made.image, p, 0, 3), around = ring(made.image, p, 20, 26);
      darker += middle.lightness() < around.lightness() - 0.08 ? 1 : 0;
      bluer += middle.blueness() > around.blueness() + 0.05 ? 1 : 0;
    }
    const double all = static_cast<double>(made.points.size());
    INFO("seed " << seed);
    CHECK(all == 27);
    CHECK(darker >= 0.85 * all);
    CHECK(bluer >= 0.85 * all);
  }
}

TEST_CASE("synthetic nuclei: the point is the centroid of the blue around it") {
  Point shift;
  double largest = 0, count = 0;
  for (std::uint64_t seed = 1; seed <= 14; ++seed) {
    const SyntheticImage made = synthesize({.height = 300, .width = 300, .density = 60, .radius = 8, .seed = seed});
    for (const Point& p : made.points) {
      const bool alone = std::none_of(made.points.begin(), made.points.end(),
                                      [&](Point q) { return q != p && squared_distance(p, q) < 44 * 44; });
      if (!alone || p.x < 22 || p.y < 22 || p.x > 277 || p.y > 277) continue;
      const double limit = 0.5 * (ring(made.image, p, 0, 3).lightness() + ring(made.image, p, 22, 26).lightness());
      Point mean;
      double mass = 0;
      for (int y = -20; y <= 20; ++y)
        for (int x = -20; x <= 20; ++x) {
          Colour pixel;
          pixel.add(made.image, std::lround(p.y) + y, std::lround(p.x) + x);
          if (x * x + y * y > 400 || pixel.lightness() > limit) continue;
          mean.x += static_cast<double>(std::lround(p.x)) + x, mean.y += static_cast<double>(std::lround(p.y)) + y;
          mass += 1;
        }
      const Point off{mean.x / mass - p.x, mean.y / mass - p.y};
      shift.x += off.x, shift.y += off.y, count += 1;
      largest = std::max(largest, std::hypot(off.x, off.y));
    }
  }
  CHECK(count >= 10);
  CHECK(std::hypot(shift.x, shift.y) / count < 0.5);  // no shift in common
  CHECK(largest < 4);                                 // a red cell or a speck beside it
}

TEST_CASE("synthetic nuclei: no large blue spot is without a point") {
  for (const double radius : {6.0, 9.0, 14.0}) {
    const SyntheticImage made = synthesize({.height = 256, .width = 320, .density = 400, .radius = radius, .seed = 9});
    Colour all;
    for (Index y = 0; y < 256; ++y)
      for (Index x = 0; x < 320; ++x) all.add(made.image, y, x);
    int blue = 0, orphans = 0;
    for (Index y = 2; y < 254; ++y)
      for (Index x = 2; x < 318; ++x) {
        const Point here{static_cast<double>(x), static_cast<double>(y)};
        Colour pixel;
        pixel.add(made.image, y, x);
        if (pixel.lightness() > all.lightness() - 0.25) continue;
        blue += 1;
        orphans += std::none_of(made.points.begin(), made.points.end(),
                                [&](Point p) { return squared_distance(p, here) < 6.5 * radius * radius; })
                       ? 1
                       : 0;
      }
    INFO("radius " << radius);
    CHECK(blue > 1000);
    CHECK(orphans < 0.02 * blue);  // dark specks
  }
}

TEST_CASE("synthetic nuclei: the same seed is the same image, another seed another") {
  const SyntheticImage a = synthesize({.seed = 5}), b = synthesize({.seed = 5}), c = synthesize({.seed = 6});
  CHECK(a.points == b.points);
  CHECK((a.image == b.image));
  CHECK(a.points != c.points);
}

TEST_CASE("synthetic nuclei: their number is the density's, as long as they fit") {
  for (const double density : {100.0, 500.0, 1000.0, 2000.0})
    CHECK(
        static_cast<double>(synthesize({.height = 200, .width = 250, .density = density, .radius = 7}).points.size()) ==
        std::round(density * 0.05));
  const std::size_t crowded = synthesize({.density = 10000, .radius = 30}).points.size();
  CHECK((crowded > 5 && crowded < 60));  // of 655 that were asked for: it ends, and none lie on each other
  CHECK(synthesize({.height = 32, .width = 32, .density = 5000, .radius = 40, .seed = 2}).points.size() <= 5);
}

TEST_CASE("synthetic nuclei: settings out of range are refused with their value and range") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(synthesize({.width = 31}), Contains("31x256") && Contains("[32, 32768]"));
  CHECK_THROWS_WITH(synthesize({.density = 20000}), Contains("density is 20000") && Contains("[0, 10000]"));
  CHECK_THROWS_WITH(synthesize({.radius = 2}), Contains("radius is 2") && Contains("[3, 40]"));
  CHECK_THROWS_AS(synthesize({.density = NAN}), ArgumentError);
  CHECK_THROWS_AS(synthesize({.radius = NAN}), ArgumentError);
}

TEST_CASE("value noise: in [0, 1], continuous, not flat, anywhere in the plane") {
  RandomStream random{1, 9};
  const data::ValueNoise noise(random, 10), other(random, 10);
  double low = 1, high = 0, step = 0, apart = 0;
  for (double y = -5000; y < 5000; y += 131.7)
    for (double x = -5000; x < 5000; x += 97.3) {
      const double v = noise(x, y);
      low = std::min(low, v), high = std::max(high, v);
      step = std::max({step, std::abs(noise(x + 0.01, y) - v), std::abs(noise(x, y + 0.01) - v)});
      apart = std::max(apart, std::abs(other(x, y) - v));
    }
  CHECK((low >= 0 && high <= 1 && high - low > 0.6));
  CHECK(step < 0.01);
  CHECK(apart > 0.3);
}
