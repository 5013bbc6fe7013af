// Normalisation, resampling and stain changes.
#include <cmath>

#include "nucdet/data/dataset.hpp"
#include "nucdet/data/stain.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

Image noise(std::size_t h, std::size_t w, std::uint64_t stream) {
  Image image = make_image(static_cast<Index>(h), static_cast<Index>(w), 3);
  RandomStream random{1, stream};
  for (std::size_t y = 0; y < h; ++y)
    for (std::size_t x = 0; x < w; ++x)
      for (std::size_t c = 0; c < 3; ++c) image(y, x, c) = static_cast<float>(random.uniform(0.1, 0.9));
  return image;
}

}  // namespace

TEST_CASE("normalised channels have mean 0 and deviation 1; flat ones stay near 0") {
  const Image image = noise(37, 53, 1);
  data::ChannelStatistics first;
  for (const int threads : {1, 2, 5}) {
    Context<Cpu> context({.threads = threads});
    const auto statistics = data::statistics_of(context, view_of(image));
    if (threads == 1) first = statistics;
    CHECK(statistics.mean == first.mean);
    CHECK(statistics.deviation == first.deviation);
    auto y = context.make({1, 37, 53, 3});
    data::normalize(context, view_of(image), statistics, y.view<float>());
    for (Index c = 0; c < 3; ++c) {
      double sum = 0, squares = 0;
      for (const double v : numbers_of(std::as_const(y).view<const float>().channels(c, 1))) sum += v, squares += v * v;
      CHECK(sum / (37 * 53) == Approx(0).margin(1e-5));
      CHECK(squares / (37 * 53) == Approx(1).epsilon(1e-5));
    }
  }
  Context<Cpu> context({.threads = 1});
  CHECK(data::statistics_of(context, view_of(std::as_const(static_cast<const Image&>(make_image(4, 4, 3, 0.5f)))))
            .deviation[0] == Approx(data::kLeastDeviation));
  Image bad = noise(4, 4, 2);
  bad(1, 1, 1) = NAN;
  CHECK_THROWS_AS(data::statistics_of(context, view_of(std::as_const(bad))), NumericError);
  auto y = context.make({1, 36, 53, 3});
  CHECK_THROWS_AS(data::normalize(context, view_of(image), first, y.view<float>()), ShapeError);
}

TEST_CASE("resampling keeps flat images flat, ramps straight and points on their pixels") {
  Context<Cpu> context({.threads = 2});
  for (const double scale : {0.25, 0.5, 0.8, 1.7, 2.0}) {
    Image ramp = make_image(40, 60, 3);
    for (std::size_t y = 0; y < 40; ++y)
      for (std::size_t x = 0; x < 60; ++x)
        ramp(y, x, 0) = 1, ramp(y, x, 1) = static_cast<float>(x) / 60, ramp(y, x, 2) = static_cast<float>(y) / 40;
    const Image small = data::resample(context, ramp, scale);
    CHECK(small.shape(0) == static_cast<std::size_t>(std::llround(40 * scale)));
    CHECK(small.shape(1) == static_cast<std::size_t>(std::llround(60 * scale)));
    const std::size_t border = static_cast<std::size_t>(2 * std::max(1.0, scale));
    double worst = 0;
    for (std::size_t y = border; y + border < small.shape(0); ++y)
      for (std::size_t x = border; x + border < small.shape(1); ++x) {
        const Point source = data::to_source({static_cast<double>(x), static_cast<double>(y)}, scale);
        worst = std::max({worst, std::abs(static_cast<double>(small(y, x, 0)) - 1),
                          std::abs(static_cast<double>(small(y, x, 1)) - source.x / 60),
                          std::abs(static_cast<double>(small(y, x, 2)) - source.y / 40)});
      }
    CHECK(worst < (scale < 1 ? 2e-3 : 1e-5));  // a sampled triangle keeps ramps up to its sampling
    const Point p{12.3, 4.5}, there = data::to_reference(p, scale), back = data::to_source(there, scale);
    CHECK(squared_distance(p, back) < 1e-20);
  }
  CHECK_THROWS_AS(data::resample(context, noise(4, 4, 1), 0.001), ArgumentError);
  CHECK_THROWS_AS(data::resample(context, noise(4, 4, 1), NAN), ArgumentError);
}

TEST_CASE("a sample takes its points along, and points outside are refused by name") {
  Context<Cpu> context({.threads = 1});
  const auto sample = data::make_sample(context, noise(20, 30, 1), {{0, 0}, {29, 19}}, 2.0, "a", "organ");
  CHECK(sample.points[0] == Point{0.5, 0.5});
  CHECK(sample.points[1] == Point{58.5, 38.5});
  CHECK(sample.image.shape(1) == 60);
  CHECK_THROWS_WITH(data::make_sample(context, noise(20, 30, 1), {{31, 3}}, 1.0, "a.png"),
                    Catch::Matchers::Contains("a.png: 1 of 1 points lie outside"));
  CHECK_THROWS_AS(data::make_sample(context, noise(20, 30, 1), {{NAN, 3}}, 1.0, "a"), ArgumentError);
}

TEST_CASE("a stain change of strength 0 changes nothing, others keep values in [0, 1] and glass bright") {
  Image image = noise(9, 11, 4);
  const Image before = image;
  RandomStream random{1, 1};
  data::apply_stain(data::StainChange::draw(0, random), view_of(image));
  for (std::size_t i = 0; i < image.size(); ++i) CHECK(image.data()[i] == Approx(before.data()[i]).margin(2e-6));
  for (int k = 0; k < 20; ++k) {
    Image changed = before;
    changed(0, 0, 0) = changed(0, 0, 1) = changed(0, 0, 2) = 1;
    data::apply_stain(data::StainChange::draw(0.3, random), view_of(changed));
    for (std::size_t i = 0; i < changed.size(); ++i) CHECK((changed.data()[i] >= 0 && changed.data()[i] <= 1));
    CHECK(changed(0, 0, 1) > 0.85f);
  }
}
