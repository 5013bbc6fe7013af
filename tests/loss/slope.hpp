#pragma once
#include <cmath>
#include <vector>

#include "nucdet/core/rng.hpp"

#include "support/catch.hpp"

/// Central differences in double: the slope of a loss must be the derivative of its value.
template <class Loss>
void check_slope(const Loss& loss, int maps, std::uint64_t seed = 1) {
  nucdet::RandomStream random{seed};
  const std::size_t n = static_cast<std::size_t>(maps), targets = static_cast<std::size_t>(loss.target_maps(maps));
  std::vector<double> o(n), y(targets), mean(targets), slope(n);
  for (int trial = 0; trial < 50; ++trial) {
    for (double& v : o) v = 3 * random.normal();
    for (double& v : y) v = random.uniform();
    for (double& v : mean) v = random.uniform();
    loss.slope(o.data(), y.data(), mean.data(), maps, slope.data());
    for (std::size_t k = 0; k < n; ++k) {
      const double at = o[k], step = 1e-5;
      o[k] = at + step;
      const double above = loss.value(o.data(), y.data(), mean.data(), maps);
      o[k] = at - step;
      const double below = loss.value(o.data(), y.data(), mean.data(), maps);
      o[k] = at;
      REQUIRE(slope[k] == Approx((above - below) / (2 * step)).epsilon(1e-6).margin(1e-7));
    }
  }
}
