#include <cmath>
#include <limits>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/label/render_classes.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

std::vector<float> drawn(float radius, const std::vector<AnnotatedPoints>& nuclei, Index h, Index w, int threads = 1,
                         Index maps = 1) {
  Context<Cpu> context({.threads = threads});
  const Shape shape{static_cast<Index>(nuclei.size()), h, w, maps};
  std::vector<float> map(static_cast<std::size_t>(shape.count()), -7.0f);
  label::render_batch(context, label::ClassDisc{radius}, std::span<const AnnotatedPoints>(nuclei),
                      View<float>(map.data(), shape));
  return map;
}

/// Every centre for every pixel, in double.
float naive(double radius, const AnnotatedPoints& nuclei, double x, double y) {
  double nearest = std::numeric_limits<double>::infinity();
  int label = kUnknownClass;
  for (std::size_t i = 0; i < nuclei.points.size(); ++i) {
    const double d = squared_distance(nuclei.points[i], {x, y});
    if (d > radius * radius || d >= nearest) continue;
    nearest = d, label = nuclei.classes.empty() ? kUnknownClass : nuclei.classes[i];
  }
  return static_cast<float>(label + 1);
}

}  // namespace

TEST_CASE("label: a class map tells the class of the nearest centre, as a loop over all of them does") {
  RandomStream random{4};
  std::vector<AnnotatedPoints> nuclei(3);
  // Quarters of pixels: distances are exact, and many are equal, so that the order of the points decides.
  for (int k = 0; k < 120; ++k) {
    nuclei[0].points.push_back(
        {0.25 * std::floor(random.uniform(-60, 1100)), 0.25 * std::floor(random.uniform(-60, 700))});
    nuclei[0].classes.push_back(static_cast<int>(random.below(5)) - 1);
  }
  nuclei[1].points = {{10, 10}, {14, 10}};  // of no known class
  nuclei[2] = {{{10, 10}, {14, 10}, {14, 10}, {90, 20}, {-3, 50}, {1e7, 1e7}}, {2, 0, 1, -1, 4, 3}};
  const Index h = 160, w = 260;
  for (const float radius : {0.0f, 3.0f, 8.0f, 25.5f}) {
    const std::vector<float> map = drawn(radius, nuclei, h, w, 3);
    bool right = true;
    for (std::size_t n = 0; n < 3; ++n)
      for (Index y = 0; y < h; ++y)
        for (Index x = 0; x < w; ++x)
          right = right &&
                  map[(n * static_cast<std::size_t>(h) + static_cast<std::size_t>(y)) * static_cast<std::size_t>(w) +
                      static_cast<std::size_t>(x)] ==
                      naive(static_cast<double>(radius), nuclei[n], static_cast<double>(x), static_cast<double>(y));
    CHECK(right);
    CHECK(map == drawn(radius, nuclei, h, w, 1));
  }
  const std::vector<float> map = drawn(8, {nuclei[2]}, h, w);
  CHECK(map[10 * 260 + 12] == 3);  // halfway: the earlier point
  CHECK(map[10 * 260 + 13] == 1);  // two at one place: the earlier point
  CHECK(map[20 * 260 + 90] == 0);
  CHECK(map[50 * 260] == 5);  // from outside
}

TEST_CASE("label: class maps of several channels are equal; bad nuclei are refused") {
  const std::vector<AnnotatedPoints> one{{{{3, 3}}, {1}}};
  const std::vector<float> map = drawn(2, one, 6, 7, 1, 2);
  for (std::size_t i = 0; i < map.size(); i += 2) CHECK(map[i] == map[i + 1]);
  CHECK(drawn(4, {}, 6, 7).empty());
  CHECK_THROWS_AS(drawn(-1, one, 6, 7), ArgumentError);
  CHECK_THROWS_AS(drawn(NAN, one, 6, 7), ArgumentError);
  CHECK_THROWS_AS(drawn(2, {{{{NAN, 3}}, {1}}}, 6, 7), ArgumentError);
  CHECK_THROWS_WITH(drawn(2, {{{{3, 3}}, {1, 1}}}, 6, 7), Catch::Matchers::Contains("2 classes for 1 points"));
  CHECK_THROWS_AS(drawn(2, {{{{3, 3}}, {kMostClasses}}}, 6, 7), ArgumentError);
  Context<Cpu> context({.threads = 1});
  std::vector<float> other(2 * 6 * 7);
  CHECK_THROWS_AS(label::render_batch(context, label::ClassDisc{}, std::span<const AnnotatedPoints>(one),
                                      View<float>(other.data(), {2, 6, 7, 1})),
                  ShapeError);
}
