#include <algorithm>
#include <cmath>

#include "nucdet/core/math.hpp"

#include "support/catch.hpp"

namespace math = nucdet::math;

TEST_CASE("label: exp, expm1 and root agree with the library's in double") {
  double worst_exp = 0, worst_expm1 = 0, worst_root = 0;
  for (double v = -87; v <= 87; v += 0.00737) {
    const float x = static_cast<float>(v);
    const double e = std::exp(static_cast<double>(x)), m = std::expm1(static_cast<double>(x));
    worst_exp = std::max(worst_exp, std::abs(static_cast<double>(math::exp(x)) / e - 1));
    if (v < 0 && v >= -83) worst_expm1 = std::max(worst_expm1, std::abs(static_cast<double>(math::expm1(x)) / m - 1));
  }
  for (double v = 1e-12; v <= 1e30; v *= 1.0137) {
    const float x = static_cast<float>(v);
    worst_root =
        std::max(worst_root, std::abs(static_cast<double>(math::root(x)) / std::sqrt(static_cast<double>(x)) - 1));
  }
  CHECK(worst_exp < 2.5e-7);
  CHECK(worst_expm1 < 2.5e-7);
  CHECK(worst_root < 1.5e-7);
  CHECK(math::exp(0.0f) == 1.0f);
  CHECK(math::expm1(0.0f) == 0.0f);
  CHECK(static_cast<double>(math::expm1(-1e-6f)) == Approx(-1e-6).epsilon(1e-6));
  CHECK(math::root(0.0f) == 0.0f);
  double worst_exp2m1 = 0;
  for (double v = -120; v <= 120; v += 0.0137) {
    const float x = static_cast<float>(v);
    const double wanted = std::expm1(std::log(2.0) * static_cast<double>(x));
    worst_exp2m1 = std::max(worst_exp2m1,
                            std::abs(static_cast<double>(math::exp2m1(x)) - wanted) / std::max(1.0, std::abs(wanted)));
  }
  CHECK(worst_exp2m1 < 1.5e-7);
}
