// Peak finders against plain loops, on random maps and on maps full of ties.
#include <cmath>

#include "nucdet/detect/peak_finder.hpp"
#include "nucdet/detect/smooth.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;
using detect::find_peaks;
using detect::LocalMaxima;

namespace {

/// The rule as it is written: none in the window is higher, none of the same height comes before.
std::vector<Nucleus> naive_peaks(View<const float> map, const LocalMaxima& s) {
  std::vector<Nucleus> found;
  const Index h = map.shape.h, w = map.shape.w, edge = s.keep_border ? 0 : s.radius;
  for (Index y = edge; y < h - edge; ++y)
    for (Index x = edge; x < w - edge; ++x) {
      const float v = map(0, y, x, 0);
      bool peak = v >= s.absolute && v > 0;
      for (Index r = std::max<Index>(0, y - s.radius); r <= std::min(h - 1, y + s.radius); ++r)
        for (Index c = std::max<Index>(0, x - s.radius); c <= std::min(w - 1, x + s.radius); ++c) {
          const float other = map(0, r, c, 0);
          const bool before = r < y || (r == y && c < x);
          if (other > v || (other == v && before)) peak = false;
        }
      if (peak) found.push_back({{static_cast<double>(x), static_cast<double>(y)}, v});
    }
  return found;
}

bool same_peaks(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Nucleus& p, const Nucleus& q) { return p.centre == q.centre && p.score == q.score; });
}

std::vector<float> random_map(Index h, Index w, int levels, std::uint64_t stream) {
  std::vector<float> map;
  for (const double v : random_numbers(h * w, stream))
    map.push_back(levels == 0 ? static_cast<float>(v) : std::round(static_cast<float>(v) * static_cast<float>(levels)));
  return map;
}

}  // namespace

TEST_CASE("local maxima are those of the rule: any size, radius, ties, borders, threads, strides") {
  Context<Cpu> one({.threads = 1}), two({.threads = 2}), five({.threads = 5});
  std::uint64_t stream = 0;
  for (const auto& [h, w] : {std::pair<Index, Index>{1, 1}, {1, 9}, {7, 1}, {13, 40}, {70, 131}})
    for (const int levels : {0, 2, 1})
      for (const Index radius : {1, 2, 5, 12})
        for (const bool border : {true, false}) {
          const std::vector<float> values = random_map(h, w, levels, ++stream);
          const View<const float> map(values.data(), {1, h, w, 1});
          const LocalMaxima s{
              .radius = radius, .relative = 0, .absolute = 0.1f, .refine = false, .keep_border = border};
          const auto wanted = naive_peaks(map, s);
          CHECK(same_peaks(find_peaks(one, map, s), wanted));
          CHECK(same_peaks(find_peaks(two, map, s), wanted));
          CHECK(same_peaks(find_peaks(five, map, s), wanted));
          std::vector<double> doubles(values.begin(), values.end());
          Strided<float> apart(one, map.shape, doubles);
          CHECK(same_peaks(find_peaks(one, std::as_const(apart.part).view<const float>(), s), wanted));
        }
}

TEST_CASE("a plateau gives its first pixel, and no two peaks are closer than the window") {
  Context<Cpu> context({.threads = 2});
  std::vector<float> flat(50 * 60, 1.0f);
  const View<const float> map(flat.data(), {1, 50, 60, 1});
  const auto found = find_peaks(context, map, {.radius = 5, .absolute = 0.2f, .refine = false});
  REQUIRE(found.size() == 1);
  CHECK(found[0].centre == Point{0, 0});
}

TEST_CASE("refinement finds the top of a parabola between pixels") {
  Context<Cpu> context({.threads = 1});
  for (const Point top : {Point{8.3, 11.8}, Point{7.6, 12.4}, Point{8, 12}}) {
    std::vector<float> values;
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 20; ++x)
        values.push_back(static_cast<float>(10 - 0.02 * squared_distance(top, {double(x), double(y)})));
    const auto found = find_peaks(context, {values.data(), {1, 24, 20, 1}}, {.radius = 5, .absolute = 9.9f});
    REQUIRE(found.size() == 1);
    CHECK(found[0].centre.x == Approx(top.x).margin(1e-3));
    CHECK(found[0].centre.y == Approx(top.y).margin(1e-3));
  }
}

TEST_CASE("thresholds, absolute and relative, and what finders refuse") {
  Context<Cpu> context({.threads = 1});
  std::vector<float> values(9 * 30, 0.0f);
  const View<const float> map(values.data(), {1, 9, 30, 1});
  values[4 * 30 + 3] = 1, values[4 * 30 + 13] = 0.5f, values[4 * 30 + 23] = 0.3f;
  auto found = find_peaks(context, map, {.radius = 3, .absolute = 0.4f});
  CHECK(found.size() == 2);
  found = find_peaks(context, map, {.radius = 3, .absolute = 0.0f});
  CHECK(found.size() == 3);
  detect::keep_relative(found, 0.5);
  CHECK(found.size() == 2);  // as high as the threshold is kept
  std::vector<Nucleus> none;
  detect::keep_relative(none, 0.5);
  CHECK(none.empty());
  CHECK_THROWS_AS(find_peaks(context, map, {.radius = 0}), ArgumentError);
  CHECK_THROWS_AS(find_peaks(context, map, {.relative = 1.5}), ArgumentError);
  CHECK_THROWS_AS(find_peaks(context, map, {.absolute = INFINITY}), ArgumentError);
  CHECK_THROWS_AS(find_peaks(context, map, {.full_scale = -1}), ArgumentError);
  CHECK_THROWS_AS(find_peaks(context, {values.data(), {1, 9, 15, 2}}, {}), ShapeError);
  values[100] = NAN;
  CHECK_THROWS_WITH(find_peaks(context, map, {}), Catch::Matchers::Contains("(10, 3) is nan"));
  CHECK_THROWS_AS(detect::ComponentCentroids{}(map), NumericError);
}

TEST_CASE(
    "scores are responses over the full scale, within [0, 1]; thresholds go both ways; 0 leaves responses alone") {
  LocalMaxima peaks;
  CHECK(peaks.threshold() == 0.3f);
  CHECK(peaks.score(2.5f) == 0.5f);
  CHECK(peaks.score(5.5f) == 1.0f);
  CHECK(peaks.score(-0.1f) == 0.0f);
  peaks.set_threshold(0.5);
  CHECK(peaks.absolute == 2.5f);
  peaks.full_scale = 0;
  CHECK(peaks.threshold() == 2.5f);
  CHECK(peaks.score(5.5f) == 5.5f);
  peaks.set_threshold(1.8);
  CHECK(peaks.absolute == 1.8f);
}

TEST_CASE("component centroids: one per region above the threshold, at its centre of mass") {
  std::vector<float> values(8 * 12, 0.0f);
  const View<const float> map(values.data(), {1, 8, 12, 1});
  for (const auto& [y, x] : {std::pair{1, 1}, {1, 2}, {2, 1}, {2, 2}, {5, 8}, {6, 9}, {0, 11}})
    values[static_cast<std::size_t>(y * 12 + x)] = 0.5f + 0.1f * static_cast<float>(x);
  auto found = detect::ComponentCentroids{.threshold = 0.5f, .least_area = 2}(map);
  REQUIRE(found.size() >= 1);
  CHECK(found[0].centre.y == Approx(1.5));
  CHECK(found[0].score == Approx(0.7f));
  const std::size_t eight = found.size();  // the diagonal pair is one region or two, never three
  CHECK((eight == 1 || eight == 2));
  CHECK(detect::ComponentCentroids{.threshold = 9}(map).empty());
}

TEST_CASE("smoothing follows its sum, keeps a constant, and does not depend on threads") {
  Context<Cpu> one({.threads = 1}), five({.threads = 5});
  const Shape s{1, 17, 23, 2};
  const auto numbers = random_numbers(s.count(), 3);
  Strided<float> x(one, s, numbers), y(one, s, {}), again(one, s, {});
  const auto in = std::as_const(x.part).view<const float>();
  detect::smooth(one, in, 1.5, y.part.view<float>());
  detect::smooth(five, in, 1.5, again.part.view<float>());
  CHECK(numbers_of(std::as_const(y.part).view<const float>()) ==
        numbers_of(std::as_const(again.part).view<const float>()));
  double sum = 0, weights = 0;
  for (Index j = -5; j <= 5; ++j)
    for (Index i = -5; i <= 5; ++i) {
      const double weight = std::exp(-static_cast<double>(i * i + j * j) / 4.5);
      const auto mirror = [](Index k, Index n) { return k < 0 ? -1 - k : k >= n ? 2 * n - 1 - k : k; };
      weights += weight;
      sum += weight * static_cast<double>(in(0, mirror(1 + j, 17), mirror(21 + i, 23), 1));
    }
  CHECK(static_cast<double>(y.part.view<float>()(0, 1, 21, 1)) == Approx(sum / weights).margin(1e-5));
  const std::vector<float> flat(400, 0.75f);
  std::vector<float> out(400);
  detect::smooth(one, {flat.data(), {1, 20, 20, 1}}, 4.0, {out.data(), {1, 20, 20, 1}});
  CHECK(*std::max_element(out.begin(), out.end()) == Approx(0.75f));
  CHECK(*std::min_element(out.begin(), out.end()) == Approx(0.75f));
}
