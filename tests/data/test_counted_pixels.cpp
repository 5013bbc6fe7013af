// Pixels that count are those whose place does: in the image, and as crops show it.
#include <algorithm>
#include <cmath>

#include "nucdet/data/sampler.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

namespace {

/// A star with a hole, which reaches out of the image here and there.
Area star(Point centre, double radius, RandomStream& random) {
  Area area{{{}, {}}};
  for (int i = 0; i < 11; ++i) {
    const double angle = 6.283185307179586 * i / 11, r = radius * random.uniform(0.5, 1.5);
    area.rings[0].push_back({centre.x + r * std::cos(angle), centre.y + r * std::sin(angle)});
    area.rings[1].push_back({centre.x + 0.2 * r * std::cos(angle), centre.y + 0.2 * r * std::sin(angle)});
  }
  return area;
}

Areas some_areas(RandomStream& random) {
  return {{star({20, 20}, 25, random), star({60, 50}, 20, random)}, {star({40, 30}, 10, random)}};
}

}  // namespace

TEST_CASE("counted pixels: those whose centre counts, and the k-th is found") {
  RandomStream random{2};
  const Index h = 61, w = 83;
  for (int trial = 0; trial < 5; ++trial) {
    Areas areas = some_areas(random);
    for (Area& area : areas.regions)
      for (Point& p : area.rings[0]) p = trial % 2 == 0 ? Point{std::floor(p.x), std::floor(p.y)} : p;  // on centres
    if (trial == 4) areas.regions.clear();
    const CountedPixels counted(areas, h, w);
    Index count = 0;
    for (Index y = 0; y < h; ++y)
      for (Index x = 0; x < w; ++x) {
        const Point p{static_cast<double>(x), static_cast<double>(y)};
        REQUIRE(counted.at(p) == areas.count(p));
        if (areas.count(p)) REQUIRE(counted.pixel(count++) == p);
      }
    CHECK(counted.count() == count);
    CHECK(count > 0);
  }
}

TEST_CASE("counted pixels: beyond the image they are reflected as pixels are, and without areas all count") {
  const CountedPixels left({{Area{{{{-0.5, -0.5}, {2.5, -0.5}, {2.5, 9.5}, {-0.5, 9.5}}}}}, {}}, 10, 8);
  CHECK(left.count() == 30);
  for (const double x : {-3.0, -1.0, 0.0, 2.49, 13.0, 15.0}) CHECK(left.at({x, -4}));
  for (const double x : {-4.0, 3.0, 7.0, 8.0, 12.0}) CHECK_FALSE(left.at({x, 25}));
  CHECK(CountedPixels().everywhere());
  CHECK(CountedPixels({}, 4, 4).everywhere());
  CHECK(CountedPixels().at({1e6, -3}));
  const CountedPixels none({{Area{{{{1, 1}, {5, 5}}}}}, {}}, 10, 8);
  CHECK((!none.everywhere() && none.count() == 0 && !none.at({1, 1})));
  for (const double bad : {std::nan(""), 1e300, -static_cast<double>(INFINITY)})
    CHECK_THROWS_AS(CountedPixels({{}, {Area{{{{0, 0}, {bad, 3}, {4, 9}}}}}}, 4, 4), ArgumentError);
}

TEST_CASE("samples: areas are scaled as points are, and points outside are kept apart") {
  Context<Cpu> context({.threads = 1});
  const Image image = make_image(40, 60, 3, 0.5f);
  const Areas areas{{Area{{{{-0.5, -0.5}, {29.5, -0.5}, {29.5, 39.5}, {-0.5, 39.5}}}}}, {}};
  const std::vector<Point> points{{10, 10}, {50, 10}, {29, 39}, {30, 5}};
  for (const double scale : {1.0, 2.0, 0.5}) {
    const Sample s = make_sample(context, image, points, scale, "a", "", {}, {0, 1, 2, 3}, areas);
    CHECK(s.points == std::vector<Point>{to_reference(points[0], scale), to_reference(points[2], scale)});
    CHECK(s.classes == std::vector<int>{0, 2});
    CHECK(s.uncounted.points.size() == 2);
    CHECK(s.areas.regions[0].rings[0][2] == Point{30 * scale - 0.5, 40 * scale - 0.5});
    CHECK(s.counted.count() == static_cast<Index>(30 * 40 * scale * scale));
    CHECK(annotated(s).points.size() == 4);
    CHECK(annotated(s).classes == std::vector<int>{0, 2, 1, 3});
  }
  const Sample whole = make_sample(context, image, points, 1, "a");
  CHECK((whole.counted.everywhere() && whole.uncounted.points.empty() && annotated(whole).points == points));
  CHECK_THROWS_WITH(make_sample(context, image, {}, 1, "slide 7", "", {}, {}, {{}, {Area{{{{NAN, 0}, {1, 1}}}}}}),
                    Catch::Matchers::Contains("slide 7"));
}

TEST_CASE("crops: a pixel counts as the place that it shows, except within a pixel of a border") {
  Context<Cpu> context({.threads = 2});
  RandomStream random{6};
  const Index h = 70, w = 90;
  Dataset set;
  for (int k = 0; k < 4; ++k) {
    set.push_back(make_sample(context, make_image(h, w, 1, 0.5f), {}, 1, "a"));
    if (k == 0) continue;
    set.back().areas = some_areas(random), set.back().counted = CountedPixels(set.back().areas, h, w);
  }
  CropSampler sampler{.crop = 64, .batch = 4, .seed = 3};
  Index seen = 0, in = 0, edge = 0;
  for (const Index size : {Index{64}, Index{32}})
    for (std::int64_t iteration = 0; iteration < 6; ++iteration) {
      std::vector<AnnotatedPoints> shown;
      const auto cuts = sampler.cuts(context, set, iteration, {4, 64, 64, 1}, shown);
      Tensor<Cpu> maps = context.make({4, size, size, 1});
      sampler.draw_counted(context, set, iteration, maps.view<float>());
      for (Index n = 0; n < 4; ++n)
        for (Index y = 0; y < size; ++y)
          for (Index x = 0; x < size; ++x) {
            const auto& cut = cuts[static_cast<std::size_t>(n)];
            const double step = 64.0 / static_cast<double>(size);
            const Point p = cut.warp.source_of(
                {(static_cast<double>(x) + 0.5) * step - 0.5, (static_cast<double>(y) + 0.5) * step - 0.5});
            const Areas& areas = set[cut.sample].areas;
            const auto counts = [&](double dx, double dy) {
              return areas.count(
                  {reflect(p.x + dx, static_cast<double>(w)), reflect(p.y + dy, static_cast<double>(h))});
            };
            const bool found = maps.view<float>()(n, y, x, 0) != 0, wanted = counts(0, 0);
            ++seen, in += wanted;
            if (found == wanted) continue;
            ++edge;
            bool border = false;
            for (const double dx : {-0.8, 0.0, 0.8})
              for (const double dy : {-0.8, 0.0, 0.8}) border = border || counts(dx, dy) != wanted;
            REQUIRE(border);
          }
    }
  CHECK(edge * 20 < seen);
  CHECK((in * 10 > seen && in * 10 < 9 * seen));
  Tensor<Cpu> wrong = context.make({3, 64, 64, 1});
  CHECK_THROWS_AS(sampler.draw_counted(context, set, 0, wrong.view<float>()), ShapeError);
}

TEST_CASE("crops of an image of which little counts show some of it, others are drawn as without areas") {
  Context<Cpu> context({.threads = 1});
  const Image image = make_image(400, 500, 3, 0.5f);
  const Areas corner{{Area{{{{470, 5}, {490, 5}, {490, 25}, {470, 25}}}}}, {}},
      all{{}, {Area{{{{900, 0}, {950, 0}, {950, 50}}}}}};
  const auto drawn = [&](const Areas& areas) {
    return Dataset{make_sample(context, image, {}, 1, "a", "", {}, {}, areas)};
  };
  const CropSampler sampler{.crop = 48, .batch = 4, .seed = 3};
  Tensor<Cpu> maps = context.make({4, 48, 48, 1});
  std::vector<AnnotatedPoints> shown;
  const Dataset whole = drawn({}), limited = drawn(all), little = drawn(corner), nothing = drawn({{Area{}}, {}});
  for (std::int64_t iteration = 0; iteration < 10; ++iteration) {
    const auto a = sampler.cuts(context, whole, iteration, {4, 48, 48, 3}, shown),
               b = sampler.cuts(context, limited, iteration, {4, 48, 48, 3}, shown);
    for (std::size_t n = 0; n < 4; ++n) CHECK(a[n].warp.centre == b[n].warp.centre);
    sampler.draw_counted(context, little, iteration, maps.view<float>());
    for (Index n = 0; n < 4; ++n) {
      const View<float> map = maps.view<float>().image(n);
      CHECK(std::count(map.data, map.data + 48 * 48, 1.0f) > 0);
    }
    for (const auto& cut : sampler.cuts(context, little, iteration, {4, 48, 48, 3}, shown))
      CHECK((cut.warp.centre.x <= 500 - 24.5 && cut.warp.centre.y >= 23.5));  // within the image all the same
    sampler.draw_counted(context, nothing, iteration, maps.view<float>());
    CHECK(maps.view<float>()(0, 20, 20, 0) == 0);
  }
}
