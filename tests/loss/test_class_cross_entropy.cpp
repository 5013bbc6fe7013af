#include <cmath>
#include <limits>

#include "nucdet/core/context.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/evaluate.hpp"

#include "loss/slope.hpp"

using namespace nucdet;
using nucdet::loss::ClassCrossEntropy;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The value for one pixel, all of whose image is labelled.
double value_of(const ClassCrossEntropy& loss, const std::vector<double>& o, double target, double share = 1) {
  return loss.value(o.data(), &target, &share, static_cast<int>(o.size()));
}

}  // namespace

TEST_CASE("loss: class cross-entropy by hand") {
  const std::vector<double> o{std::log(1.0), std::log(2.0), std::log(5.0)};  // p = 1/8, 1/4, 5/8
  ClassCrossEntropy loss;
  loss.weights[1] = 3;
  CHECK(value_of(loss, o, 1) == Approx(std::log(8.0)));
  CHECK(value_of(loss, o, 2) == Approx(3 * std::log(4.0)));
  CHECK(value_of(loss, o, 3) == Approx(std::log(1.6)));
  CHECK(value_of(loss, o, 3, 0.1) == Approx(10 * std::log(1.6)));
  CHECK(value_of(loss, o, 3, 0.001) == Approx(50 * std::log(1.6)));  // the least share
  CHECK(value_of(loss, o, 0) == 0);
  double slope[3], share = 0.5, target = 2;
  loss.slope(o.data(), &target, &share, 3, slope);
  CHECK(slope[0] == Approx(6 * 0.125));
  CHECK(slope[1] == Approx(6 * -0.75));
  CHECK(slope[2] == Approx(6 * 0.625));
  target = 0;
  loss.slope(o.data(), &target, &share, 3, slope);
  CHECK((slope[0] == 0 && slope[1] == 0 && slope[2] == 0));
  for (const int maps : {2, 3, 16}) check_slope(loss, maps);
}

TEST_CASE("loss: the slope of class cross-entropy is the derivative of its value, for every class") {
  RandomStream random{5};
  ClassCrossEntropy loss;
  for (float& w : loss.weights) w = static_cast<float>(random.uniform(0.2, 4));
  for (int trial = 0; trial < 100; ++trial) {
    const int maps = 2 + static_cast<int>(random.below(15));
    std::vector<double> o(static_cast<std::size_t>(maps)), slope(o.size());
    for (double& v : o) v = 3 * random.normal();
    const double target = static_cast<double>(random.below(maps + 1)), share = random.uniform();
    loss.slope(o.data(), &target, &share, maps, slope.data());
    for (std::size_t k = 0; k < o.size(); ++k) {
      auto above = o, below = o;
      above[k] += 1e-5, below[k] -= 1e-5;
      CHECK(slope[k] == Approx((value_of(loss, above, target, share) - value_of(loss, below, target, share)) / 2e-5)
                            .epsilon(1e-6)
                            .margin(1e-7));
    }
  }
}

TEST_CASE("loss: class cross-entropy is torch's with ignore_index, over the labelled pixels") {
  // torch.nn.functional.cross_entropy(o, t, weight=w, ignore_index=-1, reduction="sum") / 4 by its definition, where o
  // =
  // [[0.5, -1, 2], [3, 0.25, -2], [0, 0, 0], [1.5, 1.5, -0.5], [-4, 2, 7]], t = [2, 1, 0, -1, 1], w = [1, 2, 0.5]
  Context<Cpu> context({.threads = 1});
  const std::vector<double> o{0.5, -1, 2, 3, 0.25, -2, 0, 0, 0, 1.5, 1.5, -0.5, -4, 2, 7}, t{3, 2, 1, 0, 2};
  std::vector<double> g(15);
  ClassCrossEntropy loss;
  loss.weights[1] = 2, loss.weights[2] = 0.5f;
  const double found =
      loss::evaluate<double>(context, loss, View<const double>(o.data(), {1, 1, 5, 3}),
                             View<const double>(t.data(), {1, 1, 5, 1}), {}, View<double>(g.data(), {1, 1, 5, 3}));
  CHECK(found == Approx(4.217323306192207).epsilon(1e-6));
  const double wanted[15] = {0.021911299,
                             0.004889072,
                             -0.026800371,
                             0.466999129,
                             -0.470145744,
                             0.003146615,
                             -0.166666667,
                             0.083333333,
                             0.083333333,
                             0,
                             0,
                             0,
                             8.295e-06,
                             -0.49665363,
                             0.496645335};
  for (std::size_t i = 0; i < 15; ++i) CHECK(g[i] == Approx(wanted[i]).epsilon(1e-5).margin(1e-7));
}

TEST_CASE("loss: class cross-entropy does not depend on how much is labelled, and unlabelled images have none") {
  Context<Cpu> context({.threads = 2});
  const Shape shape{1, 10, 10, 3};
  std::vector<float> o(300), t(100, 0.0f), g(300);
  for (std::size_t i = 0; i < 300; i += 3) o[i] = 1, o[i + 1] = 0, o[i + 2] = -1;
  const auto value = [&] {
    return loss::evaluate<float>(context, ClassCrossEntropy{}, View<const float>(o.data(), shape),
                                 View<const float>(t.data(), {1, 10, 10, 1}), {}, View<float>(g.data(), shape));
  };
  CHECK(value() == 0);
  for (const float v : g) CHECK(v == 0);
  const double one = std::log(std::exp(1.0) + 1 + std::exp(-1.0));  // of the second class: its score is 0
  for (std::size_t i = 0; i < 5; ++i) t[7 * i] = 2;
  CHECK(value() == Approx(one));
  for (float& v : t) v = 2;
  CHECK(value() == Approx(one));
}

TEST_CASE("loss: class cross-entropy stays finite for large scores, and what is no number is seen") {
  const float sure[] = {-500.0f, 500.0f, 0.0f}, one = 1, two = 2, share = 1;
  CHECK(ClassCrossEntropy{}.value(sure, &two, &share, 3) == 0.0f);
  CHECK(ClassCrossEntropy{}.value(sure, &one, &share, 3) == 1000.0f);
  for (const double target : {0.0, 1.0}) {
    CHECK(std::isnan(value_of({}, {0, kNaN}, target)));
    CHECK(std::isnan(value_of({}, {kNaN, 0}, target)));
    CHECK(!std::isfinite(value_of({}, {0, std::numeric_limits<double>::infinity()}, target)));
  }
  CHECK(std::isnan(value_of({}, {0, 0}, 3)));  // a class that the network does not have
  CHECK(std::isnan(value_of({}, {0, 0}, kNaN)));
}

TEST_CASE("loss: class cross-entropy's maps, weights and settings") {
  CHECK(ClassCrossEntropy{}.target_maps(1) == 0);
  CHECK(ClassCrossEntropy{}.target_maps(2) == 1);
  CHECK(ClassCrossEntropy{}.target_maps(16) == 1);
  CHECK(ClassCrossEntropy{}.target_maps(17) == 0);
  const ClassCrossEntropy balanced = ClassCrossEntropy::balanced({100, 300, 200});
  CHECK(balanced.weights[0] == 2.0f);
  CHECK(balanced.weights[1] == Approx(2.0 / 3));
  CHECK(balanced.weights[2] == 1.0f);
  CHECK_THROWS_WITH(ClassCrossEntropy::balanced({5, 0, 3}), Catch::Matchers::Contains("class 1 has 0"));
  CHECK_THROWS_AS(ClassCrossEntropy::balanced({5}), ArgumentError);
  CHECK_THROWS_AS(ClassCrossEntropy::balanced(std::vector<Index>(17, 1)), ArgumentError);
  ClassCrossEntropy bad;
  bad.weights[3] = -1;
  CHECK_THROWS_AS(bad.check(), ArgumentError);
  CHECK_THROWS_AS((ClassCrossEntropy{.least_share = 0}.check()), ArgumentError);
}
