// Activations, sums and channel dropout, on strided views and on one, two and five threads.
#include <cmath>
#include <limits>
#include <string>

#include "nucdet/ops/activation.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/dropout.hpp"
#include "nucdet/ops/epilogue.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr Shape kShapes[] = {{1, 1, 1, 1}, {2, 5, 7, 3}, {1, 13, 40, 17}};

double naive(const ops::Elu& f, double x) { return x > 0 ? x : static_cast<double>(f.alpha) * std::expm1(x); }
double naive(const ops::Relu&, double x) { return std::max(x, 0.0); }
double naive(const ops::LeakyRelu& f, double x) { return x > 0 ? x : static_cast<double>(f.negative_slope) * x; }
double naive(const ops::Sigmoid&, double x) { return 1 / (1 + std::exp(-x)); }
double naive(const ops::ScaledSigmoid& f, double x) { return static_cast<double>(f.scale) / (1 + std::exp(-x)); }
double naive(const ops::Scale& f, double x) { return static_cast<double>(f.factor) * x; }
double naive(const ops::Gelu&, double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double naive(const ops::Silu&, double x) { return x / (1 + std::exp(-x)); }

template <class T, class F>
void check_activation(const F& f, double tolerance) {
  for (const Shape& s : kShapes) {
    auto x = random_numbers(s.count(), 1);
    for (double& v : x) v = static_cast<double>(static_cast<T>(8 * v));
    std::vector<double> first;
    for (const int threads : {1, 2, 5}) {
      Context<Cpu> context({.threads = threads});
      Strided<T> in(context, s, x), out(context, s, {});
      ops::activate<T>(context, f, std::as_const(in.part).template view<const T>(), out.part.template view<T>());
      const auto y = numbers_of(std::as_const(out.part).template view<const T>());
      double worst = 0;
      for (std::size_t i = 0; i < x.size(); ++i)
        worst = std::max(worst, std::abs(y[i] - naive(f, x[i])) / (1 + std::abs(x[i])));
      CHECK(worst < tolerance);
      if (threads == 1) first = y;
      CHECK(y == first);
      ops::activate<T>(context, f, std::as_const(in.part).template view<const T>(), in.part.template view<T>());
      CHECK(numbers_of(std::as_const(in.part).template view<const T>()) == y);  // in place
    }
  }
}

/// The slope, given through the output or the input, against central differences.
template <class F>
void check_slope(const F& f) {
  for (double x = -6.05; x < 6; x += 0.1) {
    const double step = 1e-6, numeric = (naive(f, x + step) - naive(f, x - step)) / (2 * step);
    CHECK(ops::slope_at(f, x) == Approx(numeric).epsilon(1e-6).margin(1e-9));
  }
}

}  // namespace

TEST_CASE("activations follow their formulas") {
  check_activation<float>(ops::Elu{}, 3e-7), check_activation<double>(ops::Elu{0.7f}, 1e-14);
  check_activation<float>(ops::Relu{}, 1e-30), check_activation<double>(ops::Relu{}, 1e-30);
  check_activation<float>(ops::LeakyRelu{0.2f}, 1e-7), check_activation<double>(ops::LeakyRelu{}, 1e-15);
  check_activation<float>(ops::Sigmoid{}, 2e-7), check_activation<double>(ops::Sigmoid{}, 1e-14);
  check_slope(ops::Elu{}), check_slope(ops::Elu{0.7f}), check_slope(ops::Relu{}), check_slope(ops::LeakyRelu{0.2f});
  check_slope(ops::Sigmoid{});
  check_activation<float>(ops::ScaledSigmoid{5}, 1e-6), check_activation<double>(ops::ScaledSigmoid{5}, 1e-14);
  check_activation<float>(ops::Scale{0.3f}, 1e-7), check_activation<double>(ops::Scale{0.3f}, 1e-15);
  check_activation<float>(ops::Gelu{}, 2e-7), check_activation<double>(ops::Gelu{}, 1e-14);
  check_activation<float>(ops::Silu{}, 2e-7), check_activation<double>(ops::Silu{}, 1e-14);
  check_slope(ops::ScaledSigmoid{5}), check_slope(ops::Scale{0.3f}), check_slope(ops::Gelu{}), check_slope(ops::Silu{});
}

TEST_CASE("single precision slopes of GELU and SiLU are those of double precision") {
  double gelu = 0, silu = 0;
  for (float x = -20; x < 20; x += 0.01f) {
    gelu = std::max(
        gelu, std::abs(static_cast<double>(ops::Gelu{}.slope_at(x)) - ops::Gelu{}.slope_at(static_cast<double>(x))));
    silu = std::max(
        silu, std::abs(static_cast<double>(ops::Silu{}.slope_at(x)) - ops::Silu{}.slope_at(static_cast<double>(x))));
  }
  CHECK(gelu < 5e-7);
  CHECK(silu < 2e-6);  // the difference 1 - s, times x
}

TEST_CASE("every activation of the list has a kind of its own, and comes back from it with its number") {
  int kinds = 0;
#define NUCDET_CHECK(F, name)                                                    \
  {                                                                              \
    const ops::Fused fused{ops::Fused::Kind::name, 0.25f};                       \
    CHECK(std::string(ops::name_of(fused.kind)) == #name);                       \
    ops::with_activation(fused, [&]<class G>(const G& g) {                       \
      CHECK(std::is_same_v<G, ops::F>);                                          \
      CHECK(ops::Fused::of(g).kind == fused.kind);                               \
      CHECK(ops::Fused::of(g).parameter == (std::is_empty_v<G> ? 0.0f : 0.25f)); \
      CHECK(ops::apply(fused, 0.7f) == Approx(g(0.7f)).epsilon(1e-6));           \
    });                                                                          \
    ++kinds;                                                                     \
  }
  NUCDET_ACTIVATIONS(NUCDET_CHECK)
#undef NUCDET_CHECK
  CHECK(kinds == static_cast<int>(ops::Fused::Kind::silu));
  CHECK(!ops::with_activation({}, [](const auto&) {}));
  CHECK(ops::Fused::of(ops::Same{}).kind == ops::Fused::Kind::none);
}

TEST_CASE("activations at the ends of the range, and NaN is never lost") {
  const float huge = 1e38f, nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(ops::Elu{}(huge) == huge);
  CHECK(ops::Elu{}(-huge) == Approx(-1.0f));
  CHECK(ops::Relu{}(-huge) == 0.0f);
  CHECK(ops::Sigmoid{}(huge) == Approx(1.0f));
  CHECK(ops::Sigmoid{}(-huge) >= 0.0f);
  CHECK(ops::Sigmoid{}(-huge) < 1e-37f);
  CHECK(std::isnan(ops::Elu{}(nan)));
  CHECK(std::isnan(ops::Relu{}(nan)));
  CHECK(std::isnan(ops::LeakyRelu{}(nan)));
  CHECK(std::isnan(ops::Sigmoid{}(nan)));
  CHECK(std::isnan(ops::Gelu{}(nan)));
  CHECK(std::isnan(ops::Silu{}(nan)));
  CHECK(ops::Gelu{}(huge) == huge);
  CHECK(ops::Silu{}(huge) == huge);
  CHECK(std::abs(ops::Gelu{}(-100.0f)) < 1e-5f);
  CHECK(std::isfinite(ops::Gelu{}.slope_at(huge)));
  CHECK(std::isfinite(ops::Silu{}.slope_at(-huge)));
}

TEST_CASE("sums of one, two and four views; copy, accumulate and fill") {
  Context<Cpu> context({.threads = 2});
  const Shape s{2, 3, 5, 7};
  std::vector<Strided<double>> terms;
  std::vector<View<const double>> views;
  std::vector<double> sum(static_cast<std::size_t>(s.count()), 0.0);
  Strided<double> y(context, s, {});
  for (std::uint64_t k = 0; k < 4; ++k) {
    const auto numbers = random_numbers(s.count(), k);
    terms.emplace_back(context, s, numbers);
    views.push_back(std::as_const(terms.back().part).view<const double>());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
    if (k == 2) continue;
    ops::add<double>(context, std::span<const View<const double>>(views), y.part.view<double>());
    CHECK(numbers_of(std::as_const(y.part).view<const double>()) == sum);
  }
  ops::accumulate<double>(context, views[0], y.part.view<double>());
  CHECK(y.part.view<double>()(1, 2, 4, 6) == sum.back() + views[0](1, 2, 4, 6));
  ops::fill<double>(context, 3.5, y.part.view<double>());
  CHECK(numbers_of(std::as_const(y.part).view<const double>()) == std::vector<double>(sum.size(), 3.5));
  CHECK(numbers_of(std::as_const(y.whole).view<const double>()).front() == 0);  // nothing around the slice was touched
  CHECK_THROWS_AS(ops::add<double>(context, {}, y.part.view<double>()), ShapeError);
  CHECK_THROWS_WITH(ops::copy<double>(context, views[0].channels(0, 2), y.part.view<double>()),
                    Catch::Matchers::Contains("copy"));
}

TEST_CASE("channel dropout zeroes whole channels at the rate asked for, and is its own gradient") {
  Context<Cpu> one({.threads = 1}), five({.threads = 5});
  const Shape s{8, 3, 5, 64};
  std::vector<double> ones(static_cast<std::size_t>(s.count()), 1.0);
  Strided<float> x(one, s, ones), y(one, s, {}), again(one, s, {});
  const Philox random{42, 7};
  const auto in = std::as_const(x.part).view<const float>();
  ops::channel_dropout<float>(one, in, 0.25f, random, y.part.view<float>());
  ops::channel_dropout<float>(five, in, 0.25f, random, again.part.view<float>());
  const auto found = std::as_const(y.part).view<const float>();
  CHECK(numbers_of(found) == numbers_of(std::as_const(again.part).view<const float>()));
  Index dropped = 0;
  bool whole = true;
  for (Index n = 0; n < s.n; ++n)
    for (Index c = 0; c < s.c; ++c) {
      const float value = found(n, 0, 0, c);
      dropped += value == 0 ? 1 : 0;
      for (Index i = 0; i < s.h * s.w; ++i) whole = whole && found(n, i / s.w, i % s.w, c) == value;
      CHECK((value == 0 || value == Approx(4.0 / 3)));
    }
  CHECK(whole);
  CHECK(std::abs(static_cast<double>(dropped) - 128) < 40);  // 512 draws at 0.25: four deviations
  CHECK_THROWS_AS(ops::channel_dropout<float>(one, in, 1.0f, random, y.part.view<float>()), ArgumentError);
  CHECK_THROWS_AS(ops::channel_dropout<float>(one, in, NAN, random, y.part.view<float>()), ArgumentError);
}
