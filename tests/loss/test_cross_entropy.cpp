#include <cmath>
#include <limits>

#include "nucdet/loss/cross_entropy.hpp"

#include "loss/slope.hpp"

using nucdet::ArgumentError;
using nucdet::loss::CrossEntropy;

TEST_CASE("loss: two-class cross-entropy by hand, hard and soft targets") {
  const double o[] = {1.0, 1.0 + std::log(3.0)}, one = 1, zero = 0, half = 0.5;  // p = 3/4
  const CrossEntropy loss{.background = 2, .nucleus = 4};
  CHECK(loss.value(o, &one, &one, 2) == Approx(4 * std::log(4.0 / 3)));
  CHECK(loss.value(o, &zero, &one, 2) == Approx(2 * std::log(4.0)));
  CHECK(loss.value(o, &half, &one, 2) == Approx(2 * std::log(4.0 / 3) + std::log(4.0)));
  double slope[2];
  loss.slope(o, &one, &one, 2, slope);
  CHECK(slope[1] == Approx(-1.0));
  CHECK(slope[0] == Approx(1.0));
  check_slope(loss, 2);
}

TEST_CASE("loss: cross-entropy stays finite for large scores and passes NaN on") {
  const float sure[] = {-500.0f, 500.0f}, unsure[] = {0.0f, std::numeric_limits<float>::quiet_NaN()};
  const float one = 1, zero = 0;
  float slope[2];
  CHECK(CrossEntropy{}.value(sure, &one, &one, 2) == 0.0f);
  CHECK(CrossEntropy{}.value(sure, &zero, &one, 2) == 1000.0f);
  CrossEntropy{}.slope(sure, &zero, &one, 2, slope);
  CHECK(slope[1] == 1.0f);
  CrossEntropy{}.slope(sure, &one, &one, 2, slope);
  CHECK(slope[1] == 0.0f);
  CHECK(std::isnan(CrossEntropy{}.value(unsure, &one, &one, 2)));
}

TEST_CASE("loss: cross-entropy's maps, weights and settings") {
  CHECK(CrossEntropy{}.target_maps(2) == 1);
  CHECK(CrossEntropy{}.target_maps(1) == 0);
  CHECK(CrossEntropy{}.target_maps(3) == 0);
  const CrossEntropy balanced = CrossEntropy::balanced(0.2);
  CHECK(balanced.nucleus == 2.5f);
  CHECK(balanced.background == 0.625f);
  CHECK_THROWS_AS(CrossEntropy::balanced(0), ArgumentError);
  CHECK_THROWS_AS(CrossEntropy::balanced(1), ArgumentError);
  CHECK_THROWS_AS((CrossEntropy{-1, 1}.check()), ArgumentError);
  CHECK_THROWS_AS((CrossEntropy{0, 0}.check()), ArgumentError);
}
