#pragma once
#include <cmath>

#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// What software puts around tissue: beyond a straight edge, a frame or a disc the crop has one flat colour: white,
/// black, or a grey. Nuclei there are gone.
struct Margin {
  static constexpr const char* kName = "margin";
  double chance = 0.08;

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    bool active = false;
    bool round = false;
    float a = 1, b = 0, c = 1e6f;       ///< an edge: the margin is where a x + b y > c
    float x = 0, y = 0, radius = 1e6f;  ///< or a disc: where it is further away than this
    float colour = 1;

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index row,
                         Index column) const {
      const float* const in = from.pixel(n, row, column);
      float* const out = to.pixel(n, row, column);
      const bool inside = covers({static_cast<double>(column), static_cast<double>(row)});
      for (Index k = 0; k < from.shape.c; ++k) out[k] = inside ? colour : in[k];
    }
    NUCDET_HD bool covers(Point p) const {
      const float px = static_cast<float>(p.x), py = static_cast<float>(p.y);
      if (round) return (px - x) * (px - x) + (py - y) * (py - y) > radius * radius;
      return a * px + b * py > c;
    }
  };

  void check() const { detail::check_range("margin chance", chance, 0, 1); }
  Change draw(Index size, RandomStream& random) const {
    Change m;
    m.active = random.chance(chance);
    const double half = 0.5 * static_cast<double>(size);
    m.round = random.chance(0.3);
    m.radius = static_cast<float>(random.uniform(0.6, 2.0) * half);
    m.x = static_cast<float>(random.uniform(0.5, 1.5) * half),
    m.y = static_cast<float>(random.uniform(0.5, 1.5) * half);
    // Most edges are upright: those of stitching and of padding are.
    const double turn = random.chance(0.7) ? static_cast<double>(random.below(4)) * 0.25 : random.uniform();
    const double angle = turn * 6.283185307179586;
    m.a = static_cast<float>(std::cos(angle)), m.b = static_cast<float>(std::sin(angle));
    m.c = static_cast<float>(half * (std::cos(angle) + std::sin(angle)) + random.uniform(-0.6, 0.9) * half);
    const double kind = random.uniform();
    m.colour = kind < 0.35 ? 1.0f : kind < 0.7 ? 0.0f : static_cast<float>(random.uniform());
    return m;
  }
};

}  // namespace nucdet::data
