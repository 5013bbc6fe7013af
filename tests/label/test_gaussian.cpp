#include <cmath>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/render.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using label::GaussianDensity;

namespace {
double sum_of(Context<Cpu>& context, const GaussianDensity& profile, const std::vector<Point>& points) {
  std::vector<float> map(101 * 103);
  label::render(context, profile, points, View<float>(map.data(), {1, 101, 103, 1}));
  double sum = 0;
  for (const float v : map) sum += static_cast<double>(v);
  return sum;
}
}  // namespace

TEST_CASE("label: an interior nucleus of the density sums to its scale, wherever it lies in its pixel") {
  Context<Cpu> context({.threads = 2});
  for (const float sigma : {1.0f, 1.7f, 4.0f})
    for (const Point p : {Point{50, 50}, Point{50.5, 50.25}, Point{49.9, 51.31}})
      CHECK(sum_of(context, {.sigma = sigma, .scale = 100}, {p}) == Approx(100).epsilon(1e-3));
  CHECK(sum_of(context, {.sigma = 0.5f, .scale = 1}, {{50, 50}}) == Approx(1).epsilon(0.04));
}

TEST_CASE("label: densities add, also where they overlap, and lose what falls outside") {
  Context<Cpu> context({.threads = 1});
  const GaussianDensity profile{};
  CHECK(sum_of(context, profile, {{40, 40}, {43, 41.5}, {43, 41.5}}) == Approx(300).epsilon(1e-3));
  CHECK(sum_of(context, profile, {{-0.5, 50}}) == Approx(50).epsilon(1e-3));
}

TEST_CASE("label: the density is a Gaussian, cut at 4 sigma") {
  const GaussianDensity profile{.sigma = 2, .scale = 10};
  const double peak = 10 / (2 * 3.14159265358979 * 4 * (1 - std::exp(-8.0)));
  for (double d2 = 0; d2 <= 64; d2 += 0.5)
    CHECK(static_cast<double>(profile(static_cast<float>(d2))) == Approx(peak * std::exp(-d2 / 8)).epsilon(2e-6));
  CHECK(profile(64.01f) == 0.0f);
  CHECK_THROWS_AS((GaussianDensity{.sigma = 0.4f}.check()), ArgumentError);
  CHECK_THROWS_AS((GaussianDensity{.scale = 0}.check()), ArgumentError);
}
