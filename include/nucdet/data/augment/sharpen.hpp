#pragma once
#include "nucdet/data/augment/gaussian_line.hpp"
#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// An unsharp mask, which scanners apply: x + amount (x - blurred x).
struct Sharpen {
  static constexpr const char* kName = "sharpen";
  double chance = 0.3;
  double most = 1.5;    ///< amount
  double widest = 1.5;  ///< sigma of the blur, pixels

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 2;
    bool active = false;
    float amount = 0;
    detail::GaussianLine line{};

    NUCDET_HD void apply(int pass, const View<const float>& from, const View<float>& to, Index n, Index y,
                         Index x) const {
      float* const out = to.pixel(n, y, x);
      for (Index c = 0; c < from.shape.c; ++c)
        out[c] = pass == 0 ? line.at<true>(from, n, y, x, c)
                           : detail::clamp_unit(out[c] + amount * (out[c] - line.at<false>(from, n, y, x, c)));
    }
  };

  void check() const {
    detail::check_range("sharpen chance", chance, 0, 1), detail::check_range(kName, most, 0, 5);
    detail::check_range("sharpen width", widest, 0.5, 3);
  }
  Change draw(Index, RandomStream& random) const {
    const bool active = random.chance(chance);
    const double amount = random.uniform(0, most), sigma = random.uniform(0.5, widest);
    if (!active || amount == 0) return {};
    return {true, static_cast<float>(amount), detail::GaussianLine(sigma)};
  }
};

}  // namespace nucdet::data
