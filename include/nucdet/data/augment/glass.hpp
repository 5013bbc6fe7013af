#pragma once
#include <cmath>

#include "nucdet/data/augment/smooth_noise.hpp"
#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// Glass without tissue: a part of the crop behind a soft, irregular edge, or all of it, becomes nearly white, with the
/// mottle and the grain that scanners give to empty fields, or with stain that lies there alone. Nuclei are gone.
struct Glass {
  static constexpr const char* kName = "glass";
  double chance = 0.1;
  double whole = 0.25;    ///< of these, crops that are glass alone
  double darkest = 0.78;  ///< of the grey that glass may have; the brightest is 1
  double mottle = 0.03;   ///< amplitude
  double stained = 0.3;   ///< of these, crops behind whose glass lies stain without structure: pink, its mottle coarser

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    bool active = false;
    float a = 0, b = 0, c = 0;  ///< glass is where a x + b y + wobble >= c
    float wobble = 0, edge = 1, amplitude = 0, grain = 0, colour[3] = {1, 1, 1};
    float own = 0.3f;  ///< of the mottle, the share in which channels differ; glass has mostly that of brightness
    detail::SmoothNoise outline{}, coarse{}, fine{};

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      const float fx = static_cast<float>(x), fy = static_cast<float>(y);
      const float share = detail::clamp_unit(0.5f + depth(fx, fy) / edge);
      const float* const in = from.pixel(n, y, x);
      float* const out = to.pixel(n, y, x);
      const auto slow = coarse.at(fx, fy), fast = fine.at(fx, fy);
      const auto words = fine.random.block((std::uint64_t{1} << 50) + static_cast<std::uint64_t>(y * from.shape.w + x));
      for (Index k = 0; k < from.shape.c; ++k) {
        const float common = slow.channel[0] + fast.channel[0], apart = slow.channel[k % 3] + fast.channel[k % 3];
        const float value = colour[k % 3] + amplitude * (common + own * (apart - common) - 1.0f) +
                            grain * detail::normal_of(words.word[k % 3]);
        out[k] = in[k] + share * (detail::clamp_unit(value) - in[k]);
      }
    }
    NUCDET_HD bool covers(Point p) const { return depth(static_cast<float>(p.x), static_cast<float>(p.y)) >= 0; }

   private:
    /// Pixels behind the edge.
    NUCDET_HD float depth(float x, float y) const {
      return a * x + b * y - c + wobble * (2 * outline.at(x, y).channel[0] - 1);
    }
  };

  void check() const {
    detail::check_range("glass chance", chance, 0, 1), detail::check_range("glass whole", whole, 0, 1);
    detail::check_range("glass darkest", darkest, 0, 1), detail::check_range("glass mottle", mottle, 0, 0.5);
    detail::check_range("glass stained", stained, 0, 1);
  }
  Change draw(Index size, RandomStream& random) const {
    Change g;
    g.active = random.chance(chance);
    const bool all = random.chance(whole);
    const double angle = random.uniform(0, 6.283185307179586), half = 0.5 * static_cast<double>(size);
    g.a = static_cast<float>(std::cos(angle)), g.b = static_cast<float>(std::sin(angle));
    const double middle = half * (std::cos(angle) + std::sin(angle));
    g.c = static_cast<float>(middle + random.uniform(-0.8, 0.8) * half);
    g.wobble = static_cast<float>(random.uniform(0, 0.3) * half), g.edge = static_cast<float>(random.uniform(1, 12));
    if (all) g.a = g.b = 0, g.c = -1e6f;
    g.amplitude = static_cast<float>(random.uniform(0, mottle));
    g.grain = static_cast<float>(random.uniform(0, 0.5 * mottle));
    const double grey = random.uniform(darkest, 1);
    for (float& v : g.colour) v = static_cast<float>(grey + random.uniform(-0.02, 0.02));
    if (random.chance(stained)) stain(g, random);
    const auto noise = [&](double least, double most) {
      const auto seed = static_cast<std::uint64_t>(random.below(Index{1} << 52));
      return detail::SmoothNoise{{seed, random.stream}, static_cast<float>(random.uniform(least, most))};
    };
    g.outline = noise(20, 60), g.coarse = noise(8, 40), g.fine = noise(1.5, 6);
    return g;
  }

 private:
  /// Eosin takes green and some blue.
  static void stain(Change& g, RandomStream& random) {
    const double depth = random.uniform(0, 0.4);
    g.colour[1] = detail::clamp_unit(g.colour[1] - static_cast<float>(depth));
    g.colour[2] = detail::clamp_unit(g.colour[2] - static_cast<float>(depth * random.uniform(0.2, 0.8)));
    g.amplitude = static_cast<float>(random.uniform(0, 0.15)), g.own = static_cast<float>(random.uniform(0, 1));
    g.grain = static_cast<float>(random.uniform(0, 0.1));
  }
};

}  // namespace nucdet::data
