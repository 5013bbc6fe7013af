// Pixels that do not count: no value, no slope, no part in the means of the labels, for every loss.
#include <cmath>
#include <limits>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

std::vector<double> numbers(Index count, double scale, std::uint64_t seed) {
  RandomStream random{seed};
  std::vector<double> all(static_cast<std::size_t>(count));
  for (double& v : all) v = scale * random.uniform();
  return all;
}

/// Image 0 counts in its left columns, image 1 nowhere, image 2 everywhere.
template <class L>
void check_masked(const L& loss, Index maps, double label) {
  Context<Cpu> context({.threads = 2});
  const Index h = 9, w = 8, part = 3, targets = loss.target_maps(static_cast<int>(maps));
  const Shape os{3, h, w, maps}, ys{3, h, w, targets};
  std::vector<double> o = numbers(os.count(), 2, 1), y = numbers(ys.count(), label, 2), g(o.size(), 7);
  std::vector<float> mask(static_cast<std::size_t>(3 * h * w), 0);
  for (Index i = 0; i < h * w; ++i) {
    if (i % w < part) mask[static_cast<std::size_t>(i)] = 1;
    mask[static_cast<std::size_t>(2 * h * w + i)] = 1;
  }
  const View<double> ov(o.data(), os), yv(y.data(), ys), gv(g.data(), os);
  const View<const float> mv(mask.data(), {3, h, w, 1});
  const std::vector<float> weights{2, 3, 0.5f};
  const auto value = [&] { return loss::evaluate<double>(context, loss, ov, yv, weights, {}, mv); };
  const double whole = loss::evaluate(context, loss, ov, yv, weights, gv, mv);
  // What counts, as images of their own: the loss is theirs, by their share of the pixels.
  const double left = loss::evaluate<double>(context, loss, ov.image(0).window(0, 0, h, part),
                                             yv.image(0).window(0, 0, h, part)),
               right = loss::evaluate<double>(context, loss, ov.image(2), yv.image(2));
  CHECK(whole == Approx((2 * left * static_cast<double>(part) / static_cast<double>(w) + 0.5 * right) / 3));
  RandomStream random{5};
  for (int trial = 0; trial < 40; ++trial) {
    const Index n = random.below(3), r = random.below(h), x = random.below(w), k = random.below(maps);
    double& at = ov(n, r, x, k);
    const double kept = at, step = 1e-5;
    at = kept + step;
    const double above = value();
    at = kept - step;
    const double below = value();
    at = kept;
    REQUIRE(gv(n, r, x, k) == Approx((above - below) / (2 * step)).epsilon(1e-5).margin(1e-9));
  }
  // Whatever stands where nothing counts: the same bits.
  const std::vector<double> slopes = g;
  for (Index n = 0; n < 2; ++n)
    for (Index i = 0; i < h * w; ++i) {
      if (mv(n, i / w, i % w, 0) != 0) continue;
      for (Index k = 0; k < maps; ++k) REQUIRE(gv(n, i / w, i % w, k) == 0);
      for (Index k = 0; k < maps; ++k) ov(n, i / w, i % w, k) = random.normal();
      for (Index k = 0; k < targets; ++k) yv(n, i / w, i % w, k) = random.uniform();
    }
  CHECK(loss::evaluate(context, loss, ov, yv, weights, gv, mv) == whole);
  CHECK(g == slopes);
  ov(1, 2, 3, maps - 1) = std::numeric_limits<double>::infinity();  // a network gone wrong is noticed all the same
  CHECK(std::isnan(value()));
}

}  // namespace

TEST_CASE("loss: pixels that do not count have no part in any loss") {
  check_masked(loss::WeightedSquaredError{}, 1, 1);
  check_masked(loss::WeightedSquaredError{.lambda = 2}, 3, 1);
  check_masked(loss::SquaredError{}, 2, 1);
  check_masked(loss::CrossEntropy{.background = 0.7f, .nucleus = 3}, 2, 1);
  check_masked(loss::ClassCrossEntropy::balanced({1, 4, 2}), 3, 3.49);
}

TEST_CASE("loss: a mask of ones is no mask, and one of another size is refused") {
  Context<Cpu> context({.threads = 1});
  const Shape shape{2, 5, 7, 1};
  const std::vector<double> o = numbers(shape.count(), 2, 1), y = numbers(shape.count(), 1, 2);
  const std::vector<float> ones(o.size(), 1);
  const View<const double> ov(o.data(), shape), yv(y.data(), shape);
  const auto with = [&](View<const float> mask) {
    return loss::evaluate<double>(context, loss::WeightedSquaredError{}, ov, yv, {}, {}, mask);
  };
  CHECK(with({ones.data(), shape}) == Approx(with({})).epsilon(1e-14));
  CHECK_THROWS_AS(with({ones.data(), {1, 5, 7, 1}}), ShapeError);
  CHECK_THROWS_AS(with({ones.data(), {1, 7, 5, 2}}), ShapeError);
}
