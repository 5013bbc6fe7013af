#pragma once
#include <cmath>

#include "nucdet/core/math.hpp"
#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// A random change of staining [after Tellez et al. 2018]: optical density is split into haematoxylin, eosin and a
/// residual [Ruifrok and Johnston 2001], each is scaled and shifted, and the three are put together again.
struct StainChange {
  float mix[9];    ///< of optical densities, row-major
  float shift[3];  ///< optical density

  /// Changes one RGB pixel with values in [0, 1].
  NUCDET_HD void apply(float* p) const {
    constexpr float kDarkest = 1.0f / 255;
    float density[3];
    for (int k = 0; k < 3; ++k) density[k] = -std::log(p[k] < kDarkest ? kDarkest : p[k]);
    for (int k = 0; k < 3; ++k) {
      const float* m = mix + 3 * k;
      const float d = m[0] * density[0] + m[1] * density[1] + m[2] * density[2] + shift[k];
      const float value = math::exp(-(d < -1.0f ? -1.0f : d > 8.0f ? 8.0f : d));
      p[k] = value > 1.0f ? 1.0f : value;
    }
  }

  /// Factors in 1 +- strength, shifts in +- strength / 5.
  static StainChange draw(double strength, RandomStream& random) {
    // Unit optical densities of H, E and their cross product, as rows.
    constexpr double s[3][3] = {{0.650, 0.704, 0.286}, {0.072, 0.990, 0.105}, {-0.262, -0.058, 0.708}};
    double inverse[3][3];
    const double determinant = s[0][0] * (s[1][1] * s[2][2] - s[1][2] * s[2][1]) -
                               s[0][1] * (s[1][0] * s[2][2] - s[1][2] * s[2][0]) +
                               s[0][2] * (s[1][0] * s[2][1] - s[1][1] * s[2][0]);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        const int a = (j + 1) % 3, b = (j + 2) % 3, p = (i + 1) % 3, q = (i + 2) % 3;
        inverse[i][j] = (s[a][p] * s[b][q] - s[a][q] * s[b][p]) / determinant;
      }
    StainChange change{};
    for (int k = 0; k < 3; ++k) {
      const double factor = random.uniform(1 - strength, 1 + strength),
                   offset = random.uniform(-strength, strength) / 5;
      for (int j = 0; j < 3; ++j) {
        for (int i = 0; i < 3; ++i) change.mix[3 * j + i] += static_cast<float>(inverse[i][k] * factor * s[k][j]);
        change.shift[j] += static_cast<float>(offset * s[k][j]);
      }
    }
    return change;
  }
};

/// A random change of staining, as a step.
struct Stain {
  static constexpr const char* kName = "stain";
  double chance = 1;
  double most = 0.3;  ///< strength; see StainChange::draw

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    bool active = false;
    StainChange stain{};

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      const float* const in = from.pixel(n, y, x);
      float* const out = to.pixel(n, y, x);
      for (int c = 0; c < 3; ++c) out[c] = in[c];
      stain.apply(out);
    }
  };

  void check() const { detail::check_range("stain chance", chance, 0, 1), detail::check_range(kName, most, 0, 0.95); }
  Change draw(Index, RandomStream& random) const {
    const bool active = random.chance(chance) && most > 0;
    return {active, StainChange::draw(most, random)};
  }
};

}  // namespace nucdet::data
