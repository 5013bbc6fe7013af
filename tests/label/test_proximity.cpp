#include <algorithm>
#include <cmath>
#include <limits>

#include "nucdet/label/proximity.hpp"

#include "support/catch.hpp"

using nucdet::ArgumentError;
using nucdet::label::ProximityMap;

TEST_CASE("label: the proximity profile of the authors' maps (alpha 3, d 10)") {
  const int expected[] = {255, 185, 134, 96, 67, 47, 31, 20, 11, 5, 0};
  const ProximityMap profile{.alpha = 3, .radius = 10};
  for (int d = 0; d <= 10; ++d)
    CHECK(std::lround(255.0 * static_cast<double>(profile(static_cast<float>(d * d)))) == expected[d]);
}

TEST_CASE("label: proximity is Eq. 1, exactly 1 at the centre and 0 from the radius on") {
  for (const float alpha : {3.0f, 0.001f, -2.0f, 20.0f, 80.0f}) {
    const ProximityMap profile{.alpha = alpha, .radius = 15};
    const double a = static_cast<double>(alpha);
    CHECK(profile(0.0f) == 1.0f);
    CHECK(profile(15.0f * 15.0f + 0.01f) == 0.0f);
    CHECK(profile(1e30f) == 0.0f);
    for (double d = 0; d < 15; d += 0.037) {
      const float squared = static_cast<float>(d * d);
      const double expected = std::expm1(a * (1 - std::sqrt(static_cast<double>(squared)) / 15)) / std::expm1(a);
      const double tolerance = 2e-6 * std::max(1.0, std::abs(a) / 10);  // an exponent's rounding grows with alpha
      CHECK(static_cast<double>(profile(squared)) == Approx(expected).margin(tolerance).epsilon(0));
    }
  }
}

TEST_CASE("label: proximity settings out of range are named") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const ProximityMap bad : {ProximityMap{3, 0}, ProximityMap{3, -1}, ProximityMap{0, 15}, ProximityMap{nan, 15},
                                 ProximityMap{3, nan}, ProximityMap{90, 15}, ProximityMap{3, 1e9f}})
    CHECK_THROWS_AS(bad.check(), ArgumentError);
  CHECK_NOTHROW(ProximityMap{}.check());
}
