#pragma once
#include <cmath>

#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// A stroke of a marker pen across the crop: a curve of one colour through which little shows. Nuclei under it are
/// gone.
struct Pen {
  static constexpr const char* kName = "pen";
  double chance = 0.04;

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    bool active = false;
    float x[3] = {}, y[3] = {};  ///< a quadratic Bezier curve
    float half = 8, edge = 3, opacity = 1, colour[3] = {};

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index row,
                         Index column) const {
      const float d = distance(static_cast<float>(column), static_cast<float>(row));
      const float share = opacity * detail::clamp_unit(0.5f + (half - d) / edge);
      const float* const in = from.pixel(n, row, column);
      float* const out = to.pixel(n, row, column);
      for (Index k = 0; k < from.shape.c; ++k) out[k] = in[k] + share * (colour[k % 3] - in[k]);
    }
    NUCDET_HD bool covers(Point p) const { return distance(static_cast<float>(p.x), static_cast<float>(p.y)) < half; }

   private:
    /// To the curve, as a line of sixteen pieces.
    NUCDET_HD float distance(float px, float py) const {
      float nearest = 1e30f, ax = x[0], ay = y[0];
      for (int k = 1; k <= 16; ++k) {
        const float t = static_cast<float>(k) / 16, s = 1 - t;
        const float bx = s * s * x[0] + 2 * s * t * x[1] + t * t * x[2],
                    by = s * s * y[0] + 2 * s * t * y[1] + t * t * y[2];
        const float dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
        const float along = length > 0 ? detail::clamp_unit(((px - ax) * dx + (py - ay) * dy) / length) : 0.0f;
        const float ex = px - ax - along * dx, ey = py - ay - along * dy, squared = ex * ex + ey * ey;
        nearest = squared < nearest ? squared : nearest;
        ax = bx, ay = by;
      }
      return std::sqrt(nearest);
    }
  };

  void check() const { detail::check_range("pen chance", chance, 0, 1); }
  Change draw(Index size, RandomStream& random) const {
    // Blue, green, black, red.
    constexpr float inks[4][3] = {
        {0.10f, 0.15f, 0.55f}, {0.05f, 0.40f, 0.25f}, {0.08f, 0.08f, 0.10f}, {0.70f, 0.10f, 0.15f}};
    Change p;
    p.active = random.chance(chance);
    const double extent = static_cast<double>(size);
    for (int k = 0; k < 3; ++k)
      p.x[k] = static_cast<float>(random.uniform(-0.3, 1.3) * extent),
      p.y[k] = static_cast<float>(random.uniform(-0.3, 1.3) * extent);
    p.half = static_cast<float>(random.uniform(4, 30)), p.edge = static_cast<float>(random.uniform(1.5, 10));
    p.opacity = static_cast<float>(random.uniform(0.75, 1));
    const auto& ink = inks[random.below(4)];
    for (int k = 0; k < 3; ++k)
      p.colour[k] = detail::clamp_unit(ink[k] + static_cast<float>(random.uniform(-0.08, 0.15)));
    return p;
  }
};

}  // namespace nucdet::data
