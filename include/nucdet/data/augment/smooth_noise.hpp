#pragma once
#include <cmath>

#include "nucdet/core/rng.hpp"

namespace nucdet::data::detail {

/// Three smooth random functions of the plane with values in [0, 1): random numbers on a grid of `period` pixels,
/// blended. They are drawn where they are wanted, so that any device makes them alike.
struct SmoothNoise {
  Philox random{};
  float period = 16;

  struct Values {
    float channel[3];
  };

  NUCDET_HD Values at(float x, float y) const {
    const float u = x / period, v = y / period, fu = std::floor(u), fv = std::floor(v);
    const float s = fade(u - fu), t = fade(v - fv);
    const auto i = static_cast<std::int64_t>(fu), j = static_cast<std::int64_t>(fv);
    const Philox::Words a = node(i, j), b = node(i + 1, j), c = node(i, j + 1), d = node(i + 1, j + 1);
    Values values{};
    for (int k = 0; k < 3; ++k) {
      const float top = unit(a.word[k]) + s * (unit(b.word[k]) - unit(a.word[k]));
      const float bottom = unit(c.word[k]) + s * (unit(d.word[k]) - unit(c.word[k]));
      values.channel[k] = top + t * (bottom - top);
    }
    return values;
  }

 private:
  NUCDET_HD static float fade(float t) { return t * t * (3 - 2 * t); }
  NUCDET_HD static float unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
  NUCDET_HD Philox::Words node(std::int64_t i, std::int64_t j) const {
    return random.block((static_cast<std::uint64_t>(j + (1 << 20)) << 24) + static_cast<std::uint64_t>(i + (1 << 20)));
  }
};

}  // namespace nucdet::data::detail
