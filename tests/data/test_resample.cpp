// Resampling against the triangle filter written out in double for every pixel.
#include <cmath>

#include "nucdet/core/rng.hpp"
#include "nucdet/data/image_conversion.hpp"
#include "nucdet/data/resample.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

Image noise(Index h, Index w, Index c) {
  Image image = make_image(h, w, c);
  RandomStream random{2, 1};
  for (float& v : image) v = static_cast<float>(random.uniform());
  return image;
}

/// Every source pixel weighs by its distance from where the output pixel's centre lies in the source.
double naive(const Image& image, Index y, Index x, std::size_t c, double scale) {
  const double cy = (static_cast<double>(y) + 0.5) / scale - 0.5, cx = (static_cast<double>(x) + 0.5) / scale - 0.5;
  const double radius = scale < 1 ? 1 / scale : 1;
  double sum = 0, weights = 0;
  for (std::size_t i = 0; i < image.shape(0); ++i)
    for (std::size_t j = 0; j < image.shape(1); ++j) {
      const double wy = 1 - std::abs(static_cast<double>(i) - cy) / radius,
                   wx = 1 - std::abs(static_cast<double>(j) - cx) / radius;
      if (wy <= 0 || wx <= 0) continue;
      sum += wy * wx * static_cast<double>(image(i, j, c)), weights += wy * wx;
    }
  return sum / weights;
}

}  // namespace

TEST_CASE("resample: every pixel equals the naive filter, on any number of threads") {
  const Image image = noise(13, 19, 2);
  for (const double scale : {0.2, 0.5, 0.77, 1.3, 2.0, 3.1}) {
    Image first;
    for (const int threads : {1, 2, 5}) {
      Context<Cpu> context({.threads = threads});
      const Image found = data::resample(context, image, scale);
      if (threads == 1) first = found;
      REQUIRE((found == first));
    }
    REQUIRE(view_of(first).shape == Shape{1, data::scaled_size(13, scale), data::scaled_size(19, scale), 2});
    double worst = 0;
    for (std::size_t y = 0; y < first.shape(0); ++y)
      for (std::size_t x = 0; x < first.shape(1); ++x)
        for (std::size_t c = 0; c < 2; ++c) {
          const double wanted = naive(image, static_cast<Index>(y), static_cast<Index>(x), c, scale);
          worst = std::max(worst, std::abs(wanted - static_cast<double>(first(y, x, c))));
        }
    INFO("scale " << scale);
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("resample: a spot stays under its point") {
  Context<Cpu> context({.threads = 1});
  const Point spot{23.4, 17.8};
  Image image = make_image(40, 50, 1);
  for (std::size_t y = 0; y < 40; ++y)
    for (std::size_t x = 0; x < 50; ++x)
      image(y, x, 0) = static_cast<float>(
          std::exp(-squared_distance(spot, {static_cast<double>(x), static_cast<double>(y)}) / 18.0));
  for (const double scale : {0.3, 0.5, 0.9, 1.0, 1.6, 2.0}) {
    const Image moved = data::resample(context, image, scale);
    double mass = 0;
    Point mean;
    for (std::size_t y = 0; y < moved.shape(0); ++y)
      for (std::size_t x = 0; x < moved.shape(1); ++x) {
        const double v = static_cast<double>(moved(y, x, 0));
        mass += v, mean.x += v * static_cast<double>(x), mean.y += v * static_cast<double>(y);
      }
    const Point wanted = data::to_reference(spot, scale);
    INFO("scale " << scale);
    CHECK(mean.x / mass == Approx(wanted.x).margin(0.02));
    CHECK(mean.y / mass == Approx(wanted.y).margin(0.02));
  }
}

TEST_CASE("resample: scale 1 is the same bits; corners map to corners; bad scales are refused by their value") {
  Context<Cpu> context({.threads = 1});
  const Image image = noise(7, 5, 3);
  CHECK((data::resample(context, image, 1.0) == image));
  CHECK(data::to_reference({-0.5, -0.5}, 0.4) == Point{-0.5, -0.5});
  CHECK(data::to_reference({9.5, 19.5}, 2) == Point{19.5, 39.5});
  CHECK(view_of(std::as_const(static_cast<const Image&>(data::resample(context, image, 0.05)))).shape ==
        Shape{1, 1, 1, 3});
  CHECK_THROWS_AS(data::resample(context, make_image(0, 5, 3), 2), ShapeError);
  CHECK_THROWS_WITH(data::check_scale(-2), Catch::Matchers::Contains("scale is -2"));
  CHECK_THROWS_AS(data::check_scale(65), ArgumentError);
}

TEST_CASE("resample: an image that would have too many pixels is refused before any is made") {
  Context<Cpu> context({.threads = 1});
  const Image image = make_image(4000, 1, 3), wide = make_image(2, 5000, 1);
  CHECK_NOTHROW(data::check_scaled_size(16384, 16384, 1));
  CHECK_NOTHROW(data::check_scaled_size(256, 256, 64));
  CHECK_THROWS_WITH(data::check_scaled_size(16384, 16385, 1), Catch::Matchers::Contains("at most 268435456"));
  CHECK_THROWS_WITH(data::check_scaled_size(1300, 2000, 64),
                    Catch::Matchers::Contains("2000 x 1300 pixels become 128000 x 83200 reference pixels at scale 64"));
  CHECK_THROWS_AS(data::check_scaled_size(Index{1} << 40, Index{1} << 40, 64), ArgumentError);
  CHECK_THROWS_AS(data::resample(context, make_image(300, 300, 3), 60.0), ArgumentError);
  CHECK(view_of(data::resample(context, image, 2)).shape.h == 8000);
  CHECK(view_of(data::resample(context, wide, 1.0 / 64)).shape.h == 1);
}

TEST_CASE("a part of a resampled image has the bits of the whole") {
  Context<Cpu> context({.threads = 2});
  RandomStream random{5};
  std::vector<std::uint8_t> bytes(37 * 53 * 3);
  std::vector<std::uint16_t> words(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(random.below(256)), words[i] = static_cast<std::uint16_t>(random.below(65536));
  for (const data::ImageView& view : {data::ImageView(bytes.data(), 37, 53), data::ImageView(words.data(), 37, 53)})
    for (const double scale : {0.3, 0.5, 1.7, 2.0, 4.0}) {
      const Image whole = data::resample(context, data::to_image(context, view), scale);
      const Index h = static_cast<Index>(whole.shape(0)), w = static_cast<Index>(whole.shape(1));
      for (const auto& [top, left, height, width] :
           {std::array<Index, 4>{0, 0, h, w}, {h / 3, w / 2, h / 2, w / 4}, {h - 1, w - 1, 1, 1}}) {
        const Image part = data::resample_part(context, view, scale, top, left, height, width);
        bool same = true;
        for (Index y = 0; y < height; ++y)
          for (Index x = 0; x < width; ++x)
            for (Index c = 0; c < 3; ++c) same = same && part(y, x, c) == whole(top + y, left + x, c);
        CHECK(same);
      }
      CHECK_THROWS_AS(data::resample_part(context, view, scale, 0, 1, h, w), ShapeError);
    }
}
