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

    /// 0 at the centre, 1 on the edge.
    NUCDET_HD float distance(float px, float py) const {
      const float dx = px - x, dy = py - y;
      return std::sqrt(xx * dx * dx + 2 * xy * dx * dy + yy * dy * dy);
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
        const Speck& s = specks[i];
        const float d = s.distance(static_cast<float>(column), static_cast<float>(row));
        const float share = s.opacity * detail::clamp_unit((1 - d) / s.softness);
        for (Index k = 0; k < from.shape.c; ++k) out[k] += share * (s.grey - out[k]);
      }
    }
    NUCDET_HD bool covers(Point p) const {
      for (int i = 0; i < count; ++i)
        if (specks[i].opacity > 0.5f && specks[i].distance(static_cast<float>(p.x), static_cast<float>(p.y)) < 0.8f)
          return true;
      return false;
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
