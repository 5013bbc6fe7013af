// Image and points must move together: a label warped as an image is the label of the warped points.
#include <cmath>

#include "nucdet/data/geometry.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

namespace {

/// Points at least `edge` pixels inside.
std::vector<Point> some_points(Index width, Index height, double edge, int count, std::uint64_t stream) {
  RandomStream random{9, stream};
  std::vector<Point> points;
  for (int i = 0; i < count; ++i)
    points.push_back({random.uniform(edge, static_cast<double>(width - 1) - edge),
                      random.uniform(edge, static_cast<double>(height - 1) - edge)});
  return points;
}

/// A bump of two pixels' deviation at each point: as an image, smooth enough to be sampled.
std::vector<float> bumps(const std::vector<Point>& points, Index width, Index height) {
  std::vector<float> map(static_cast<std::size_t>(width * height), 0.0f);
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (const Point& p : points)
        map[static_cast<std::size_t>(y * width + x)] +=
            static_cast<float>(std::exp(-squared_distance(p, {static_cast<double>(x), static_cast<double>(y)}) / 8.0));
  return map;
}

}  // namespace

TEST_CASE("reflection of positions and pixels is one mirror") {
  for (Index size : {1, 2, 7})
    for (Index i = -30; i < 30; ++i) {
      CHECK(reflect(static_cast<double>(i), static_cast<double>(size)) == static_cast<double>(reflect(i, size)));
      CHECK((reflect(i, size) >= 0 && reflect(i, size) < size));
      CHECK(reflect(i, size) == reflect(-1 - i, size));
    }
  for (Index copy = -3; copy <= 3; ++copy)
    for (const double x : {0.0, 2.25, 6.0}) CHECK(reflect(mirrored(x, copy, 7), 7) == Approx(x).margin(1e-12));
}

TEST_CASE("copy_reflected fills a window that reaches beyond the image") {
  Context<Cpu> context({.threads = 2});
  std::vector<float> x(5 * 4 * 2), y(12 * 15 * 2);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const View<float> out(y.data(), {1, 12, 15, 2});
  copy_reflected(context, {x.data(), {1, 5, 4, 2}}, -3, -5, out);
  bool right = true;
  for (Index r = 0; r < 12; ++r)
    for (Index c = 0; c < 15; ++c)
      right =
          right && out(0, r, c, 1) == x[static_cast<std::size_t>((reflect(r - 3, 5) * 4 + reflect(c - 5, 4)) * 2 + 1)];
  CHECK(right);
  CHECK_THROWS_AS(copy_reflected(context, {x.data(), {1, 0, 4, 2}}, 0, 0, out), ShapeError);
}

TEST_CASE("warped images show what warped points say: rotation, mirror, scale, elastic, reflection") {
  const Index width = 90, height = 70, size = 64;
  const auto points = some_points(width, height, 8, 25, 1);
  const std::vector<float> image = bumps(points, width, height);
  RandomStream random{3, 3};
  for (int k = 0; k < 12; ++k) {
    Geometry a{.rotation = 180, .mirror = true, .scale = 0.1, .elastic = k % 2 == 0 ? 0.0 : 3.0};
    const Warp warp = a.draw(size, width, height, random);
    std::vector<float> crop(static_cast<std::size_t>(size * size));
    warp_image(warp, {image.data(), {1, height, width, 1}}, {crop.data(), {1, size, size, 1}});
    // Every pixel's value is the sum of the bumps at its source position, points mirrored like the pixels.
    const auto shown = warp_points(warp, points, width, height, 24);
    double worst = 0;
    for (Index v = 0; v < size; v += 3)
      for (Index u = 0; u < size; u += 3) {
        const Point here{static_cast<double>(u), static_cast<double>(v)}, source = warp.source_of(here);
        double wanted = 0;
        for (const Point& p : shown) wanted += std::exp(-squared_distance(warp.source_of(p), source) / 8.0);
        worst = std::max(worst, std::abs(wanted - static_cast<double>(crop[static_cast<std::size_t>(v * size + u)])));
      }
    CHECK(worst < 0.1);  // bilinear sampling of bumps of two pixels' deviation
    for (const Point& p : shown) {
      const Point source = warp.source_of(p), back = warp.crop_of(source);
      CHECK(squared_distance(p, back) < 1e-12);
    }
  }
}

TEST_CASE("rotation of points is rotation of labels") {
  Context<Cpu> context({.threads = 1});
  const Index size = 80;
  const auto points = some_points(size, size, 0, 12, 2);
  const label::ProximityMap label;
  const auto render = [&](const std::vector<Point>& list) {
    std::vector<float> map(static_cast<std::size_t>(size * size));
    label::render(context, label, list, View<float>(map.data(), {1, size, size, 1}));
    return map;
  };
  for (int quarter = 0; quarter < 4; ++quarter)
    for (const double flip : {1.0, -1.0}) {
      const double angle = quarter * 1.5707963267948966, c = std::round(std::cos(angle)),
                   s = std::round(std::sin(angle));
      const Warp warp{size, {39.5, 39.5}, flip * c, -s, flip * s, c, {}};
      std::vector<float> turned(static_cast<std::size_t>(size * size));
      const std::vector<float> straight = render(points);
      warp_image(warp, {straight.data(), {1, size, size, 1}}, {turned.data(), {1, size, size, 1}});
      const std::vector<float> wanted = render(warp_points(warp, points, size, size, 0));
      double worst = 0;
      for (std::size_t i = 0; i < wanted.size(); ++i)
        worst = std::max(worst, static_cast<double>(std::abs(wanted[i] - turned[i])));
      CHECK(worst < 1e-5);  // quarter turns move pixels onto pixels
    }
}

TEST_CASE("augmentation settings out of range are refused") {
  CHECK_NOTHROW(Geometry{}.check());
  CHECK_NOTHROW(Geometry::none().check());
  CHECK_THROWS_AS(Geometry{.rotation = 200}.check(), ArgumentError);
  CHECK_THROWS_AS((Geometry{.elastic = 10, .elastic_spacing = 32}.check()), ArgumentError);
  CHECK_THROWS_AS(Geometry{.scale = NAN}.check(), ArgumentError);
}
