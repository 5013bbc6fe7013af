#include <limits>

#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"

#include "loss/slope.hpp"

using nucdet::ArgumentError;
using nucdet::loss::SquaredError;
using nucdet::loss::WeightedSquaredError;

TEST_CASE("loss: weighted squared error by hand") {
  const double o[] = {2.0, 0.25}, y[] = {0.5, 0.0}, mean[] = {0.1, 0.2};
  double slope[2];
  const WeightedSquaredError loss{.scale = 5, .lambda = 5};
  // w = 0.5 + 0.5 = 1, error = 2 - 2.5; w = 0 + 1 = 1, error = 0.25
  CHECK(loss.value(o, y, mean, 2) == Approx(0.5 * (0.25 + 0.0625) / 2));
  loss.slope(o, y, mean, 2, slope);
  CHECK(slope[0] == Approx(-0.25));
  CHECK(slope[1] == Approx(0.125));
}

TEST_CASE("loss: weighted squared error: the slope is the derivative, for the output and through a scaled sigmoid") {
  check_slope(WeightedSquaredError{}, 1);
  check_slope(WeightedSquaredError{.scale = 2, .lambda = 0.5f}, 3);

  // Eq. 3, corrected: d value / d a = w (o - s y) o (1 - o / s) for o = s sigmoid(a).
  const WeightedSquaredError loss{};
  const double y = 0.7, mean = 0.1, a = 0.4, step = 1e-5;
  const auto output = [](double v) { return 5 / (1 + std::exp(-v)); };
  const double o = output(a), above = output(a + step), below = output(a - step);
  double slope;
  loss.slope(&o, &y, &mean, 1, &slope);
  const double numeric = (loss.value(&above, &y, &mean, 1) - loss.value(&below, &y, &mean, 1)) / (2 * step);
  CHECK(slope * o * (1 - o / 5) == Approx(numeric).epsilon(1e-7));
}

TEST_CASE("loss: with lambda 0 and a label of 1 the weighted error is the plain one") {
  const double o = 0.3, one = 1, mean = 0.4;
  const WeightedSquaredError loss{.scale = 1, .lambda = 0};
  CHECK(loss.value(&o, &one, &mean, 1) == SquaredError{}.value(&o, &one, &mean, 1));
  const double zero = 0;
  CHECK(loss.value(&o, &zero, &mean, 1) == 0);  // nothing holds the background down
}

TEST_CASE("loss: an image without nuclei has a loss where the label's mean is taken to be at least something") {
  const double o = 2, y = 0, none = 0, some = 0.3;
  const WeightedSquaredError printed{}, mended{.least_mean = 0.02f};
  CHECK(printed.value(&o, &y, &none, 1) == 0);
  CHECK(mended.value(&o, &y, &none, 1) == Approx(0.5 * 5 * 0.02 * 4));
  CHECK(mended.value(&o, &y, &some, 1) == printed.value(&o, &y, &some, 1));
  check_slope(mended, 1);
}

TEST_CASE("loss: settings of the weighted error out of range") {
  for (const WeightedSquaredError bad :
       {WeightedSquaredError{0, 5, 0}, WeightedSquaredError{5, -1, 0}, WeightedSquaredError{5, 5, 2},
        WeightedSquaredError{5, std::numeric_limits<float>::quiet_NaN(), 0}})
    CHECK_THROWS_AS(bad.check(), ArgumentError);
}
