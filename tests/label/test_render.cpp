#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using label::Disc;
using label::GaussianDensity;
using label::ProximityMap;

namespace {

std::vector<Point> random_points(Index count, Index h, Index w, double margin, std::uint64_t seed) {
  RandomStream random{seed};
  std::vector<Point> points;
  for (Index i = 0; i < count; ++i)
    points.push_back({random.uniform(-margin, static_cast<double>(w) + margin),
                      random.uniform(-margin, static_cast<double>(h) + margin)});
  return points;
}

template <class Profile>
std::vector<float> rendered(const Profile& profile, const std::vector<Point>& points, Index h, Index w, int threads) {
  Context<Cpu> context({.threads = threads});
  std::vector<float> map(static_cast<std::size_t>(h * w), -1.0f);
  label::render(context, profile, points, View<float>(map.data(), {1, h, w, 1}));
  return map;
}

/// Every pixel against every point, in double.
double naive(const ProximityMap& p, const std::vector<Point>& points, Point pixel) {
  double nearest = 1e300;
  for (const Point& q : points) nearest = std::min(nearest, std::sqrt(squared_distance(q, pixel)));
  const double alpha = static_cast<double>(p.alpha), d = static_cast<double>(p.radius);
  return nearest <= d ? std::expm1(alpha * (1 - nearest / d)) / std::expm1(alpha) : 0;
}

}  // namespace

TEST_CASE("label: rendering equals every pixel against every point") {
  const Index sizes[][2] = {{1, 1}, {1, 70}, {67, 3}, {64, 64}, {53, 131}, {3, 17000}};
  for (const auto& [h, w] : sizes)
    for (const float radius : {2.5f, 15.0f, 40.0f}) {
      const ProximityMap profile{.alpha = 3, .radius = radius};
      const std::vector<Point> points = random_points(w > 1000 ? 40 : 12, h, w, 20, 11);
      const std::vector<float> map = rendered(profile, points, h, w, 2);
      double worst = 0;
      for (Index y = 0; y < h; ++y)
        for (Index x = 0; x < w; ++x) {
          const double expected = naive(profile, points, {static_cast<double>(x), static_cast<double>(y)});
          worst = std::max(worst, std::abs(expected - static_cast<double>(map[static_cast<std::size_t>(y * w + x)])));
        }
      INFO(h << "x" << w << ", radius " << radius);
      CHECK(worst < 2e-6);
    }
}

TEST_CASE("label: the nearest centre counts alone, never a sum, and no centre is all zero") {
  const std::vector<float> one = rendered(ProximityMap{}, {{20, 20}}, 41, 41, 1);
  CHECK(rendered(ProximityMap{}, {{20, 20}, {20, 20}}, 41, 41, 1) == one);
  CHECK(one[20 * 41 + 20] == 1.0f);
  const std::vector<float> none = rendered(ProximityMap{}, {}, 41, 41, 1);
  CHECK(std::all_of(none.begin(), none.end(), [](float v) { return v == 0.0f; }));
}

TEST_CASE("label: a sub-pixel centre is closer to the pixel on its side") {
  const std::vector<float> map = rendered(ProximityMap{.alpha = 3, .radius = 10}, {{10.25, 10}}, 21, 21, 1);
  const auto at = [&](int x) { return static_cast<double>(map[static_cast<std::size_t>(10 * 21 + x)]); };
  CHECK(at(10) == Approx(std::expm1(3 * (1 - 0.025)) / std::expm1(3.0)).epsilon(1e-5));
  CHECK(at(11) == Approx(std::expm1(3 * (1 - 0.075)) / std::expm1(3.0)).epsilon(1e-5));
}

TEST_CASE("label: one, two and five threads give the same bits") {
  const std::vector<Point> points = random_points(400, 300, 211, 20, 3);
  const std::vector<float> nearest = rendered(ProximityMap{}, points, 300, 211, 1);
  const std::vector<float> sum = rendered(GaussianDensity{}, points, 300, 211, 1);
  for (const int threads : {2, 5}) {
    CHECK(rendered(ProximityMap{}, points, 300, 211, threads) == nearest);
    CHECK(rendered(GaussianDensity{}, points, 300, 211, threads) == sum);
  }
}

TEST_CASE("label: rotating the points by a quarter turn rotates the map") {
  const Index h = 61, w = 83;
  const std::vector<Point> points = random_points(30, h, w, 10, 5);
  std::vector<Point> turned;  // (x, y) -> (h - 1 - y, x)
  for (const Point& p : points) turned.push_back({static_cast<double>(h - 1) - p.y, p.x});
  const auto check = [&](const auto& profile, double tolerance) {
    const std::vector<float> map = rendered(profile, points, h, w, 2), map_turned = rendered(profile, turned, w, h, 2);
    double worst = 0;
    for (Index y = 0; y < h; ++y)
      for (Index x = 0; x < w; ++x)
        worst = std::max(worst, std::abs(static_cast<double>(map[static_cast<std::size_t>(y * w + x)]) -
                                         static_cast<double>(map_turned[static_cast<std::size_t>(x * h + h - 1 - y)])));
    CHECK(worst < tolerance);
  };
  check(ProximityMap{}, 2e-6);
  check(GaussianDensity{}, 2e-6);
  check(Disc{}, 0.5);
}

TEST_CASE("label: a crop gets the values of the whole image, points beyond its border included") {
  const std::vector<Point> points = random_points(60, 100, 120, 0, 9);
  const std::vector<float> whole = rendered(ProximityMap{}, points, 100, 120, 1);
  std::vector<Point> moved;
  for (const Point& p : points) moved.push_back({p.x - 37, p.y - 22});
  const std::vector<float> crop = rendered(ProximityMap{}, moved, 40, 50, 1);
  for (Index y = 0; y < 40; ++y)
    for (Index x = 0; x < 50; ++x)
      REQUIRE(static_cast<double>(crop[static_cast<std::size_t>(y * 50 + x)]) ==
              Approx(static_cast<double>(whole[static_cast<std::size_t>((y + 22) * 120 + x + 37)])).margin(2e-6));
}

TEST_CASE("label: one channel of one image of a batch is written, and nothing else") {
  Context<Cpu> context({.threads = 2});
  const std::vector<Point> points = random_points(20, 33, 70, 5, 4);
  std::vector<float> batch(2 * 33 * 70 * 3, -7.0f);
  const View<float> all(batch.data(), {2, 33, 70, 3});
  const std::vector<float> expected_max = rendered(ProximityMap{}, points, 33, 70, 1);
  const std::vector<float> expected_sum = rendered(GaussianDensity{}, points, 33, 70, 1);
  label::render(context, ProximityMap{}, points, all.image(1).channels(1, 1));
  label::render(context, GaussianDensity{}, points, all.image(1).channels(2, 1));
  for (Index i = 0; i < 33 * 70; ++i) {
    const std::size_t pixel = static_cast<std::size_t>((33 * 70 + i) * 3), k = static_cast<std::size_t>(i);
    REQUIRE(batch[pixel] == -7.0f);
    REQUIRE(batch[pixel + 1] == expected_max[k]);
    REQUIRE(batch[pixel + 2] == expected_sum[k]);
  }
  CHECK(std::all_of(batch.begin(), batch.begin() + 33 * 70 * 3, [](float v) { return v == -7.0f; }));
}

TEST_CASE("label: what render refuses, and points far away") {
  Context<Cpu> context({.threads = 1});
  std::vector<float> data(64);
  const View<float> map(data.data(), {1, 8, 8, 1});
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  for (const Point p : {Point{nan, 0}, Point{0, nan}, Point{infinite, 0}}) {
    const std::vector<Point> points{{1, 1}, p};
    CHECK_THROWS_AS(label::render(context, ProximityMap{}, points, map), ArgumentError);
  }
  const std::vector<Point> none;
  CHECK_THROWS_AS(label::render(context, ProximityMap{.alpha = 0}, none, map), ArgumentError);
  CHECK_THROWS_AS(label::render(context, Disc{}, none, View<float>(data.data(), {2, 4, 8, 1})), ShapeError);
  CHECK_THROWS_AS(label::render(context, Disc{}, none, View<float>(data.data(), {1, 4, 8, 2})), ShapeError);
  CHECK_NOTHROW(label::render(context, Disc{}, none, View<float>(data.data(), {1, 0, 8, 1})));
  const std::vector<Point> far{{1e300, 4}, {-1e300, 4}, {4, -24}, {4, 1e18}};
  label::render(context, ProximityMap{}, far, map);
  CHECK(std::all_of(data.begin(), data.end(), [](float v) { return v == 0.0f; }));
}
