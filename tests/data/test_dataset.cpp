#include <cmath>

#include "nucdet/data/dataset.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

TEST_CASE("dataset: statistics are those of the image in reference pixels, and the rest is kept") {
  Context<Cpu> context({.threads = 1});
  Image image = make_image(12, 20, 3, 0.5f);
  for (std::size_t y = 0; y < 12; ++y)
    for (std::size_t x = 0; x < 20; ++x) image(y, x, 0) = (x + y) % 2 == 0 ? 0.1f : 0.7f;
  const Sample fine = make_sample(context, image, {}, 1, "fine", "kidney", ImageNormalization{}),
               coarse = make_sample(context, image, {}, 0.5, "coarse", "", ImageNormalization{});
  CHECK(fine.statistics.mean[0] == Approx(0.4f));
  CHECK(fine.statistics.deviation[0] == Approx(0.3f));
  CHECK(coarse.statistics.mean[0] == Approx(0.4f).margin(0.01));
  CHECK(coarse.statistics.deviation[0] < 0.1f);  // the squares are gone
  CHECK((fine.image == image));
  CHECK((fine.points.empty() && fine.name == "fine" && fine.group == "kidney" && fine.scale == 1));
  CHECK((coarse.group.empty() && coarse.scale == 0.5 && coarse.image.shape(0) == 6));
}

TEST_CASE("dataset: points may lie half a pixel beyond the outermost pixels' edges, not more") {
  Context<Cpu> context({.threads = 1});
  const Image image = make_image(10, 16, 3, 0.5f);
  CHECK(make_sample(context, image, {{-1, -1}, {16, 10}, {8, 5}}, 1, "a").points.size() == 3);
  for (const Point bad :
       {Point{-1.01, 5}, Point{16.01, 5}, Point{5, -1.01}, Point{5, 10.01}, Point{NAN, 5}, Point{5, INFINITY}})
    CHECK_THROWS_AS(make_sample(context, image, {{8, 5}, bad}, 1, "a"), ArgumentError);
  CHECK_THROWS_WITH(make_sample(context, image, {{8, 5}, {50, 5}, {5, 50}}, 1, "slide 7"),
                    Catch::Matchers::Contains("slide 7: 2 of 3 points") && Catch::Matchers::Contains("16x10"));
  CHECK_THROWS_AS(make_sample(context, image, {}, 0, "a"), ArgumentError);
  CHECK_THROWS_AS(make_sample(context, make_image(0, 5, 3), {}, 1, "a"), ShapeError);
}

TEST_CASE("dataset: classes are as many as the points and in range, or there are none") {
  Context<Cpu> context({.threads = 1});
  const Image image = make_image(10, 16, 3, 0.5f);
  const std::vector<Point> two{{1, 1}, {8, 5}};
  const auto made = [&](std::vector<int> classes) {
    return make_sample(context, image, two, 2, "slide 7", "", {}, std::move(classes));
  };
  CHECK(made({}).classes.empty());
  CHECK(made({2, kUnknownClass}).classes == std::vector<int>{2, kUnknownClass});
  CHECK_THROWS_WITH(made({1}), Catch::Matchers::Contains("slide 7: 1 classes for 2 points"));
  CHECK_THROWS_AS(made({0, kMostClasses}), ArgumentError);
  CHECK_THROWS_AS(made({0, -2}), ArgumentError);
}

TEST_CASE("dataset: the constants of a training set weigh its sets alike, whatever their number of images") {
  Context<Cpu> context({.threads = 1});
  Dataset set;
  for (const float value : {0.2f, 0.2f, 0.4f, 0.8f})
    set.push_back(make_sample(context, make_image(8, 8, 3, value), {}, 1, "flat"));
  set[0].set = set[1].set = set[2].set = "a", set[3].set = "b";
  const ChannelStatistics found = constants_of(context, set);
  const double a = 0.8 / 3, mean = (a + 0.8) / 2;
  // Images that are flat count with the least deviation, not with none.
  const double squares = ((0.04 + 0.04 + 0.16) / 3 + 0.64) / 2 + kLeastDeviation * kLeastDeviation;
  CHECK(found.mean[1] == Approx(mean));
  CHECK(found.deviation[1] == Approx(std::sqrt(squares - mean * mean)));
  CHECK_THROWS_AS(constants_of(context, {}), ArgumentError);
  take_statistics(context, FixedNormalization{found}, set);
  for (const Sample& s : set) CHECK(s.statistics == found);
}
