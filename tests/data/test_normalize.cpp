// Statistics against two passes in long double, where one pass of sums of squares would go wrong in float.
#include <cmath>
#include <limits>

#include "nucdet/data/normalization/statistics.hpp"

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
