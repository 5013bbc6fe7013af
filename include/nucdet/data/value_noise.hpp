#pragma once
#include <array>
#include <cmath>
#include <cstdint>

#include "nucdet/core/rng.hpp"

namespace nucdet::data {

/// A smooth random function of the plane with values in [0, 1]: random numbers on a grid, blended, in three octaves.
class ValueNoise {
 public:
  /// `grain`: pixels, the size of the largest features.
  ValueNoise(RandomStream& random, double grain) : inverse_(1 / grain) {
    for (float& v : table_) v = static_cast<float>(random.uniform());
    for (std::uint8_t& p : order_) p = static_cast<std::uint8_t>(random.below(256));
  }

  double operator()(double x, double y) const {
    double sum = 0, weight = 4.0 / 7, scale = inverse_;
    for (int octave = 0; octave < 3; ++octave, weight /= 2, scale *= 2)
      sum += weight * layer(x * scale + 17 * octave, y * scale + 31 * octave);
    return sum;
  }

 private:
  double layer(double x, double y) const {
    const double fx = std::floor(x), fy = std::floor(y), u = fade(x - fx), v = fade(y - fy);
    const auto ix = static_cast<std::int64_t>(fx), iy = static_cast<std::int64_t>(fy);
    const double top = node(ix, iy) + u * (node(ix + 1, iy) - node(ix, iy)),
                 bottom = node(ix, iy + 1) + u * (node(ix + 1, iy + 1) - node(ix, iy + 1));
    return top + v * (bottom - top);
  }
  static double fade(double t) { return t * t * (3 - 2 * t); }
  double node(std::int64_t x, std::int64_t y) const {
    return static_cast<double>(
        table_[(order_[static_cast<std::size_t>(x & 255)] + static_cast<std::size_t>(y & 255)) & 255]);
  }

  double inverse_;
  std::array<float, 256> table_{};
  std::array<std::uint8_t, 256> order_{};
};

}  // namespace nucdet::data
