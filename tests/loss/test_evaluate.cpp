#include <cmath>
#include <limits>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using loss::CrossEntropy;
using loss::SquaredError;
using loss::WeightedSquaredError;

namespace {

/// A batch of random numbers in [0, 1), optionally with one more channel a pixel than the view shows.
template <class T>
struct Batch {
  Batch(Shape shape, std::uint64_t seed, Index spare = 0)
      : data(static_cast<std::size_t>(shape.pixels() * (shape.c + spare))) {
    RandomStream random{seed};
    for (T& v : data) v = static_cast<T>(random.uniform());
    view = View<T>(data.data(), {shape.n, shape.h, shape.w, shape.c + spare}).channels(0, shape.c);
  }
  std::vector<T> data;
  View<T> view;
};

/// The definition, pixel by pixel in double.
template <class L>
double naive(const L& loss, View<double> o, View<double> y, const std::vector<float>& weights) {
  double total = 0;
  const Shape s = y.shape;
  for (Index n = 0; n < s.n; ++n) {
    std::vector<double> mean(static_cast<std::size_t>(s.c));
    for (Index i = 0; i < s.h * s.w; ++i)
      for (Index k = 0; k < s.c; ++k)
        mean[static_cast<std::size_t>(k)] += y(n, i / s.w, i % s.w, k) / static_cast<double>(s.h * s.w);
    double sum = 0;
    for (Index i = 0; i < s.h * s.w; ++i)
      sum += loss.value(o.pixel(n, i / s.w, i % s.w), y.pixel(n, i / s.w, i % s.w), mean.data(),
                        static_cast<int>(o.shape.c));
    total += static_cast<double>(weights[static_cast<std::size_t>(n)]) * sum / static_cast<double>(s.h * s.w * s.n);
  }
  return total;
}

template <class L>
void check_against_naive(const L& loss, Shape shape, Index targets) {
  Context<Cpu> context({.threads = 2});
  Batch<double> o(shape, 1, 1), y({shape.n, shape.h, shape.w, targets}, 2, 2), g(shape, 3, 1);
  std::vector<float> weights;
  for (Index n = 0; n < shape.n; ++n) weights.push_back(0.5f + static_cast<float>(n));
  const double value = loss::evaluate(context, loss, o.view, y.view, weights, g.view);
  CHECK(value == Approx(naive(loss, o.view, y.view, weights)).epsilon(1e-12));
  CHECK(loss::evaluate<double>(context, loss, o.view, y.view, weights) == value);
  const Batch<double> untouched(shape, 3, 1);
  for (Index i = 0; i < shape.pixels(); ++i) {
    const std::size_t spare = static_cast<std::size_t>((i + 1) * (shape.c + 1) - 1);
    REQUIRE(g.data[spare] == untouched.data[spare]);
  }
  RandomStream random{7};
  for (int trial = 0; trial < 20; ++trial) {
    const Index n = random.below(shape.n), r = random.below(shape.h), x = random.below(shape.w),
                k = random.below(shape.c);
    double& at = o.view(n, r, x, k);
    const double kept = at, step = 1e-5;
    at = kept + step;
    const double above = naive(loss, o.view, y.view, weights);
    at = kept - step;
    const double below = naive(loss, o.view, y.view, weights);
    at = kept;
    REQUIRE(g.view(n, r, x, k) == Approx((above - below) / (2 * step)).epsilon(1e-5).margin(1e-9));
  }
}

}  // namespace

TEST_CASE("loss: evaluate is the definition, and its gradient the derivative, over strided batches") {
  for (const Shape s : {Shape{1, 1, 1, 1}, Shape{2, 7, 5, 1}, Shape{3, 13, 11, 1}}) {
    check_against_naive(WeightedSquaredError{}, s, 1);
    check_against_naive(SquaredError{}, {s.n, s.h, s.w, 3}, 3);
    check_against_naive(WeightedSquaredError{.lambda = 1}, {s.n, s.h, s.w, 2}, 2);
    check_against_naive(CrossEntropy{.background = 0.7f, .nucleus = 3}, {s.n, s.h, s.w, 2}, 1);
  }
}

TEST_CASE("loss: one, two and five threads give the same bits") {
  const Shape shape{3, 101, 211, 1};
  const Batch<float> o(shape, 1), y(shape, 2);
  Batch<float> first(shape, 3), other(shape, 3);
  Context<Cpu> one({.threads = 1});
  const double value = loss::evaluate(one, WeightedSquaredError{}, o.view, y.view, {}, first.view);
  for (const int threads : {2, 5}) {
    Context<Cpu> context({.threads = threads});
    CHECK(loss::evaluate(context, WeightedSquaredError{}, o.view, y.view, {}, other.view) == value);
    CHECK(other.data == first.data);
  }
}

TEST_CASE("loss: the label mean is that of the pixel's own image") {
  Context<Cpu> context({.threads = 1});
  std::vector<double> o{1, 1, 1, 1}, y{0, 0, 0, 0.5}, g(4);
  const Shape shape{2, 1, 2, 1};
  loss::evaluate(context, WeightedSquaredError{.scale = 1, .lambda = 4}, View<double>(o.data(), shape),
                 View<double>(y.data(), shape), {}, View<double>(g.data(), shape));
  CHECK(g[0] == 0);  // image 0 has no label: weight 0
  CHECK(g[2] == Approx(1.0 / 4));
  CHECK(g[3] == Approx((0.5 + 1) * 0.5 / 4));
}

TEST_CASE("loss: a NaN comes back, sizes and weights are checked") {
  Context<Cpu> context({.threads = 1});
  const Shape shape{2, 3, 4, 1};
  Batch<float> o(shape, 1), y(shape, 2), g(shape, 3);
  o.data[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(loss::evaluate<float>(context, SquaredError{}, o.view, y.view)));
  const Batch<float> small({2, 3, 3, 1}, 1), two({2, 3, 4, 2}, 1);
  CHECK_THROWS_AS(loss::evaluate<float>(context, SquaredError{}, o.view, small.view), ShapeError);
  CHECK_THROWS_AS(loss::evaluate<float>(context, SquaredError{}, o.view, two.view), ShapeError);
  CHECK_THROWS_AS(loss::evaluate<float>(context, CrossEntropy{}, o.view, y.view), ShapeError);
  CHECK_THROWS_AS(loss::evaluate(context, SquaredError{}, o.view, y.view, {}, small.view), ShapeError);
  CHECK_THROWS_AS(loss::evaluate<float>(context, SquaredError{}, View<float>{}, View<float>{}), ShapeError);
  const std::vector<float> three(3, 1.0f), negative{1.0f, -1.0f},
      infinite{1.0f, std::numeric_limits<float>::infinity()};
  CHECK_THROWS_AS(loss::evaluate<float>(context, SquaredError{}, o.view, y.view, three), ShapeError);
  CHECK_THROWS_AS(loss::evaluate<float>(context, SquaredError{}, o.view, y.view, negative), ArgumentError);
  CHECK_THROWS_AS(loss::evaluate<float>(context, SquaredError{}, o.view, y.view, infinite), ArgumentError);
  CHECK_THROWS_AS(loss::evaluate<float>(context, WeightedSquaredError{.scale = -1}, o.view, y.view), ArgumentError);
}
