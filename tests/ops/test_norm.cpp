// Batch and instance normalisation against loops in double.
#include <cmath>

#include "nucdet/ops/norm.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments(const std::vector<double>& x, const Shape& s, Index groups, Index group, Index channel) {
  Moments m;
  const Index pixels = s.pixels() / groups;
  const auto element = [&](Index i) { return x[static_cast<std::size_t>((group * pixels + i) * s.c + channel)]; };
  for (Index i = 0; i < pixels; ++i) m.mean += element(i) / static_cast<double>(pixels);
  for (Index i = 0; i < pixels; ++i)
    m.variance += (element(i) - m.mean) * (element(i) - m.mean) / static_cast<double>(pixels);
  return m;
}

}  // namespace

TEST_CASE("statistics and normalisation of batches and of single images") {
  constexpr double kEpsilon = 1e-5;
  for (const Shape& s : {Shape{1, 1, 1, 1}, {2, 5, 7, 3}, {4, 3, 2, 17}, {2, 40, 33, 5}})
    for (const Index groups : {Index{1}, s.n}) {
      auto numbers = random_numbers(s.count(), 1);
      for (double& v : numbers) v = v * 2 + 10;  // a mean far from 0: E[x^2] - E[x]^2 would lose digits
      std::vector<float> first;
      for (const int threads : {1, 2, 5}) {
        Context<Cpu> context({.threads = threads});
        Strided<float> x(context, s, numbers), y(context, s, {});
        const auto in = std::as_const(x.part).view<const float>();
        const std::size_t size = static_cast<std::size_t>(groups * s.c);
        std::vector<float> mean(size), inverse(size), variance(size);
        ops::norm_statistics<float>(context, in, groups, kEpsilon, mean.data(), inverse.data(), variance.data());
        const auto stored = numbers_of(in);
        for (std::size_t i = 0; i < size; ++i) {
          const Moments m = moments(stored, s, groups, static_cast<Index>(i) / s.c, static_cast<Index>(i) % s.c);
          CHECK(static_cast<double>(mean[i]) == Approx(m.mean).epsilon(3e-6));
          CHECK(static_cast<double>(variance[i]) == Approx(m.variance).epsilon(1e-4).margin(1e-9));
          CHECK(static_cast<double>(inverse[i]) == Approx(1 / std::sqrt(m.variance + kEpsilon)).epsilon(1e-4));
        }
        std::vector<float> gamma(static_cast<std::size_t>(s.c)), beta(gamma.size());
        for (std::size_t c = 0; c < gamma.size(); ++c)
          gamma[c] = 0.5f + static_cast<float>(c), beta[c] = static_cast<float>(c) - 1;
        ops::normalize<float>(context, in, groups, mean.data(), inverse.data(), gamma.data(), beta.data(),
                              y.part.view<float>());
        const auto out = numbers_of(std::as_const(y.part).view<const float>());
        double worst = 0;
        for (std::size_t i = 0; i < out.size(); ++i) {
          const Index c = static_cast<Index>(i) % s.c, group = static_cast<Index>(i) / (s.count() / groups);
          const Moments m = moments(stored, s, groups, group, c);
          const double wanted = static_cast<double>(gamma[static_cast<std::size_t>(c)]) * (stored[i] - m.mean) /
                                    std::sqrt(m.variance + kEpsilon) +
                                static_cast<double>(beta[static_cast<std::size_t>(c)]);
          worst = std::max(worst, std::abs(out[i] - wanted) / (1 + std::abs(wanted)));
          if (i > 2000) break;
        }
        CHECK(worst < 1e-4);
        if (threads == 1) first = mean;
        CHECK(mean == first);
      }
    }
}

TEST_CASE("normalisation gradients: sums that must vanish, and gradients that are added to") {
  Context<Cpu> context({.threads = 2});
  const Shape s{2, 4, 5, 3};
  Strided<double> x(context, s, random_numbers(s.count(), 1)), dy(context, s, random_numbers(s.count(), 2)),
      dx(context, s, {});
  const auto in = std::as_const(x.part).view<const double>(), slopes = std::as_const(dy.part).view<const double>();
  std::vector<double> mean(3), inverse(3), dgamma(3, 10.0), dbeta(3, 20.0);
  ops::norm_statistics<double>(context, in, 1, 0, mean.data(), inverse.data(), static_cast<double*>(nullptr));
  ops::normalize_gradient<double>(context, in, slopes, 1, mean.data(), inverse.data(),
                                  static_cast<const double*>(nullptr), static_cast<const double*>(nullptr), true,
                                  dx.part.view<double>(), dgamma.data(), dbeta.data());
  const auto g = numbers_of(std::as_const(dx.part).view<const double>()), v = numbers_of(in), d = numbers_of(slopes);
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, with_x = 0, beta = 20, gamma = 10;
    for (std::size_t i = c; i < g.size(); i += 3) {
      sum += g[i], with_x += g[i] * v[i];
      beta += d[i], gamma += d[i] * (v[i] - mean[c]) * inverse[c];
    }
    CHECK(sum == Approx(0).margin(1e-12));     // shifting x does not change y
    CHECK(with_x == Approx(0).margin(1e-12));  // nor does stretching it
    CHECK(dbeta[c] == Approx(beta));
    CHECK(dgamma[c] == Approx(gamma));
  }
  CHECK_THROWS_AS(ops::norm_statistics<double>(context, in, 3, 0, mean.data(), inverse.data(), mean.data()),
                  ShapeError);
}
