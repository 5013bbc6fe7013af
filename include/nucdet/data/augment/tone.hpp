#pragma once
#include <cmath>

#include "nucdet/core/math.hpp"
#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// Exposure, contrast, gamma and white balance: v -> balance (brightness (1/2 + contrast (v - 1/2)))^gamma.
struct Tone {
  static constexpr const char* kName = "tone";
  double chance = 0.5;
  double most = 0.2;  ///< factors in 1 / (1 + most) ... 1 + most; of white balance a third of it

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    bool active = false;
    float brightness = 1, contrast = 1, gamma = 1;
    float balance[3] = {1, 1, 1};

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      constexpr float kDarkest = 1.0f / 1024;
      const float* const in = from.pixel(n, y, x);
      float* const out = to.pixel(n, y, x);
      for (Index c = 0; c < from.shape.c; ++c) {
        const float v = brightness * (0.5f + contrast * (in[c] - 0.5f));
        const float power = math::exp(gamma * std::log(v < kDarkest ? kDarkest : v));
        out[c] = detail::clamp_unit((c < 3 ? balance[c] : 1.0f) * power);
      }
    }
  };

  void check() const { detail::check_range("tone chance", chance, 0, 1), detail::check_range(kName, most, 0, 1); }
  Change draw(Index, RandomStream& random) const {
    const auto factor = [&](double by) { return static_cast<float>(std::exp(random.uniform(-1, 1) * std::log1p(by))); };
    Change change;
    change.active = random.chance(chance) && most > 0;
    change.brightness = factor(most), change.contrast = factor(most), change.gamma = factor(most);
    for (float& b : change.balance) b = factor(most / 3);
    return change;
  }
};

}  // namespace nucdet::data
