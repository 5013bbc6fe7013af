// Statistics against two passes in long double, where one pass of sums of squares would go wrong in float.
#include <array>
#include <cmath>
#include <limits>

#include "nucdet/data/normalization.hpp"
#include "nucdet/data/synthetic_tissue.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

TEST_CASE("normalize: mean and deviation of each channel equal the naive ones, for views with gaps too") {
  const Shape shape{1, 61, 47, 4};
  std::vector<double> numbers = random_numbers(shape.count(), 3);
  constexpr double spread[] = {0.5, 0.05, 0.2, 0.3}, offset[] = {0.5, 0.9, 100.0, -3.0};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = offset[i % 4] + spread[i % 4] * numbers[i];
  std::vector<float> means;
  for (const int threads : {1, 2, 5}) {
    Context<Cpu> context({.threads = threads});
    const Strided<float> x(context, shape, numbers);
    const auto view = std::as_const(x.part).view<const float>();
    const auto found = data::statistics_of(context, view);
    const std::vector<double> stored = numbers_of(view);
    for (std::size_t c = 0; c < 4; ++c) {
      long double mean = 0, variance = 0;
      const long double count = static_cast<long double>(stored.size() / 4);
      for (std::size_t i = c; i < stored.size(); i += 4) mean += stored[i] / count;
      for (std::size_t i = c; i < stored.size(); i += 4) variance += (stored[i] - mean) * (stored[i] - mean) / count;
      CHECK(static_cast<double>(found.mean[c]) == Approx(static_cast<double>(mean)).epsilon(2e-7));
      CHECK(static_cast<double>(found.deviation[c]) == Approx(std::sqrt(static_cast<double>(variance))).epsilon(1e-6));
    }
    if (means.empty()) means = found.mean;
    CHECK(found.mean == means);
  }
}

TEST_CASE("normalize: in place is the same, each pixel by the statistics given") {
  Context<Cpu> context({.threads = 2});
  const std::vector<double> numbers = random_numbers(5 * 7 * 2, 4);
  Strided<float> x(context, {1, 5, 7, 2}, numbers);
  const data::ChannelStatistics given{{0.5f, -2.0f}, {0.25f, 4.0f}};
  data::normalize(context, std::as_const(x.part).view<const float>(), given, x.part.view<float>());
  const std::vector<double> found = numbers_of(std::as_const(x.part).view<const float>());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == Approx(i % 2 == 0 ? (numbers[i] - 0.5) / 0.25 : (numbers[i] + 2) / 4).margin(1e-6));
}

TEST_CASE("normalize: a flat channel becomes 0, faint noise stays faint; bad images are refused") {
  Context<Cpu> context({.threads = 1});
  std::vector<float> x(16 * 2, 0.7f);
  for (std::size_t i = 0; i < x.size(); i += 4) x[i] = 0.704f;  // channel 0: one grey level, now and then
  const View<float> view(x.data(), {1, 4, 4, 2});
  const auto statistics = data::statistics_of(context, view);
  CHECK(statistics.deviation == std::vector<float>(2, static_cast<float>(data::kLeastDeviation)));
  data::normalize(context, view, statistics, view);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i]) < (i % 2 == 0 ? 0.11f : 1e-5f));
  CHECK_THROWS_AS(data::statistics_of(context, {x.data(), {1, 0, 4, 2}}), ShapeError);
  CHECK_THROWS_AS(data::statistics_of(context, {x.data(), {2, 2, 4, 2}}), ShapeError);
  x[5] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(data::statistics_of(context, view), Catch::Matchers::Contains("channel 1"));
}

namespace {

using Colour = std::array<float, 3>;

void fill(Image& image, std::size_t from, std::size_t to, const Colour& colour) {
  for (std::size_t y = from; y < to; ++y)
    for (std::size_t x = 0; x < image.shape(1); ++x)
      for (std::size_t c = 0; c < 3; ++c) image(y, x, c) = colour[c];
}

}  // namespace

TEST_CASE("tissue is what absorbs green most: not glass, grey, black, or pens of blue and green") {
  const data::IsTissue tissue;
  for (const Colour& p : {Colour{0.80f, 0.55f, 0.72f}, {0.45f, 0.30f, 0.60f}, {0.62f, 0.20f, 0.45f}})
    CHECK(tissue(p.data()));
  for (const Colour& p : {Colour{1, 1, 1},
                          {0.93f, 0.92f, 0.94f},
                          {0.5f, 0.5f, 0.5f},
                          {0, 0, 0},
                          {0.03f, 0.01f, 0.03f},
                          {0.1f, 0.2f, 0.7f},
                          {0.1f, 0.6f, 0.3f}})
    CHECK_FALSE(tissue(p.data()));
}

TEST_CASE("statistics of tissue do not see margins of white, black, grey and pen; the whole image's do") {
  Context<Cpu> one({.threads = 1}), five({.threads = 5});
  const Image piece = data::synthesize({.height = 128, .width = 96, .seed = 3}).image;
  const data::TissueNormalization rule;
  const data::ChannelStatistics alone = rule(one, view_of(piece));
  CHECK_FALSE(alone == rule.otherwise.statistics);
  for (const Colour& margin : {Colour{1, 1, 1}, {0, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.1f, 0.2f, 0.7f}}) {
    Image image = make_image(300, 96, 3);
    fill(image, 0, 300, margin);
    std::copy(piece.begin(), piece.end(), image.begin() + 100 * 96 * 3);
    const data::ChannelStatistics found = rule(one, view_of(image));
    CHECK(rule(five, view_of(image)) == found);
    const data::ChannelStatistics whole = data::ImageNormalization{}(one, view_of(image));
    float apart = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      CHECK(found.mean[c] == Approx(alone.mean[c]).epsilon(1e-6));
      CHECK(found.deviation[c] == Approx(alone.deviation[c]).epsilon(1e-5));
      apart = std::max(apart, std::abs(whole.mean[c] - alone.mean[c]));
    }
    CHECK(apart > 0.02f);
  }
}

TEST_CASE("an image with little tissue keeps the constants; rules have names and refuse what is no image of RGB") {
  Context<Cpu> context({.threads = 2});
  Image glass = make_image(200, 200, 3, 0.93f);
  fill(glass, 0, 20, {0.80f, 0.55f, 0.72f});  // 4000 pixels
  data::TissueNormalization rule;
  rule.otherwise.statistics = {{0.1f, 0.2f, 0.3f}, {1, 2, 3}};
  CHECK(data::statistics_of(context, rule, view_of(glass)) == rule.otherwise.statistics);
  fill(glass, 20, 21, {0.80f, 0.55f, 0.72f});  // 4200
  const data::ChannelStatistics found = data::statistics_of(context, rule, view_of(glass));
  CHECK(found.mean[1] == Approx(0.55f));
  CHECK(found.deviation[1] == static_cast<float>(data::kLeastDeviation));
  CHECK(data::name_of(rule) == "tissue");
  CHECK(data::name_of({}) == "fixed");
  CHECK(data::statistics_of(context, {}, view_of(glass)) == data::FixedNormalization{}.statistics);
  CHECK_THROWS_AS(rule(context, view_of(make_image(20, 20, 1, 0.5f))), ShapeError);
  CHECK_THROWS_AS(rule(context, View<const float>(glass.data(), {1, 0, 20, 3})), ShapeError);
  for (std::size_t x = 0; x < 200; ++x) glass(5, x, 0) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(rule(context, view_of(glass)), NumericError);
}
