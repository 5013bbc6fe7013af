#pragma once
#include "nucdet/data/augment/gaussian_line.hpp"
#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// A Gaussian blur: focus, and scanners that are softer.
struct Blur {
  static constexpr const char* kName = "blur";
  double chance = 0.3;
  double most = 1.5;  ///< sigma, pixels

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 2;
    bool active = false;
    detail::GaussianLine line{};

    NUCDET_HD void apply(int pass, const View<const float>& from, const View<float>& to, Index n, Index y,
                         Index x) const {
      float* const out = to.pixel(n, y, x);
      for (Index c = 0; c < from.shape.c; ++c)
        out[c] = pass == 0 ? line.at<true>(from, n, y, x, c) : line.at<false>(from, n, y, x, c);
    }
  };

  void check() const { detail::check_range("blur chance", chance, 0, 1), detail::check_range(kName, most, 0, 3); }
  Change draw(Index, RandomStream& random) const {
    const bool active = random.chance(chance);
    const double sigma = random.uniform(0.2, 1.0) * most;
    if (!active || sigma < 0.05) return {};
    return {true, detail::GaussianLine(sigma)};
  }
};

}  // namespace nucdet::data
