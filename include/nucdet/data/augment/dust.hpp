#pragma once
#include <cmath>

#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// Specks on the glass or the camera: grey to black ellipses, small and sharp or wide and soft. Nuclei are not hidden
/// but where a speck lies upon one.
struct Dust {
  static constexpr const char* kName = "dust";
  double chance = 0.08;

  struct Speck {
    float x, y, xx, xy, yy, softness, opacity, grey;

    /// Of a pixel's colour, what is the speck's: less towards its edge, where the distance is 1.
    NUCDET_HD float share(float px, float py) const {
      const float dx = px - x, dy = py - y, d = std::sqrt(xx * dx * dx + 2 * xy * dx * dy + yy * dy * dy);
      return opacity * detail::clamp_unit((1 - d) / softness);
    }
  };

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    static constexpr int kMost = 6;
    bool active = false;
    int count = 0;
    Speck specks[kMost] = {};

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index row,
                         Index column) const {
      const float* const in = from.pixel(n, row, column);
      float* const out = to.pixel(n, row, column);
      for (Index k = 0; k < from.shape.c; ++k) out[k] = in[k];
      for (int i = 0; i < count; ++i) {
        const float share = specks[i].share(static_cast<float>(column), static_cast<float>(row));
        for (Index k = 0; k < from.shape.c; ++k) out[k] += share * (specks[i].grey - out[k]);
      }
    }
    NUCDET_HD bool covers(Point p) const {
      float seen = 1;
      for (int i = 0; i < count; ++i) seen *= 1 - specks[i].share(static_cast<float>(p.x), static_cast<float>(p.y));
      return seen < 0.5f;
    }
  };

  void check() const { detail::check_range("dust chance", chance, 0, 1); }
  Change draw(Index size, RandomStream& random) const {
    Change d;
    d.active = random.chance(chance);
    d.count = 1 + static_cast<int>(random.below(Change::kMost));
    const double extent = static_cast<double>(size);
    for (int i = 0; i < d.count; ++i) {
      const double length = random.uniform(1, 14), width = length * random.uniform(0.2, 1);
      const double angle = random.uniform(0, 3.141592653589793), c = std::cos(angle), s = std::sin(angle);
      const double a = 1 / (length * length), b = 1 / (width * width);
      const auto f = [](double v) { return static_cast<float>(v); };
      d.specks[i] = {f(random.uniform(0, extent)), f(random.uniform(0, extent)), f(a * c * c + b * s * s),
                     f((a - b) * c * s),           f(a * s * s + b * c * c),     f(random.uniform(0.1, 1)),
                     f(random.uniform(0.3, 1)),    f(random.uniform(0, 0.45))};
    }
    return d;
  }
};

}  // namespace nucdet::data
