#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/core/math.hpp"
#include "nucdet/label/profile.hpp"

namespace nucdet::label {

namespace detail {

/// Square root of 0 <= x <= 1e30, to about 1 unit in the last place: the reciprocal root from the bits and one of
/// Newton's steps, then one of third order. Short chains of multiply-adds: this is the larger part of drawing a label.
NUCDET_HD inline float distance_of(float x) {
  const float guess = math::from_bits(0x5F375A86u - (math::to_bits(x) >> 1));
  const float reciprocal = guess * (1.5f - 0.5f * (x * guess) * guess);
  const float root = x * reciprocal, off = 1.0f - root * reciprocal;
  return root + root * off * (0.5f + 0.375f * off);
}

/// 2^x - 1 for |x| <= 120: to about 2e-7 of the larger of 2^x and 1, near x = 0 to about that of the result.
NUCDET_HD inline float exp2m1(float x) {
  constexpr float kShift = 12582912.0f;  // 1.5 * 2^23: adding it leaves the rounded sum in the low bits
  const float shifted = x + kShift, r = x - (shifted - kShift);
  const float scale = math::from_bits((math::to_bits(shifted) + 127u) << 23);
  // Taylor's terms (ln 2)^k / k!, in pairs.
  const float r2 = r * r;
  const float first = 0.693147181f + 0.240226507f * r, second = 0.0555041087f + 0.00961812911f * r,
              third = 0.00133335581f + 0.000154035304f * r;
  const float rest = r * (first + r2 * (second + r2 * third));
  return scale * rest + (scale - 1.0f);
}

}  // namespace detail

/// Proximity of a pixel to its nearest nucleus centre, the label of MicroNet and FRCN.
///   y(D) = (exp(alpha (1 - D / radius)) - 1) / (exp(alpha) - 1)  for D <= radius, else 0      [Xing 2019, Eq. 1]
/// D, radius: pixels. y in [0, 1], y(0) = 1 exactly, continuous at D = radius. A negative alpha bends the curve
/// outward. check() throws ArgumentError unless 0.01 <= radius <= 4096 and 0.001 <= |alpha| <= 80.
struct ProximityMap {
  float alpha = 3;
  float radius = 15;

  static constexpr Combine combine = Combine::nearest;

  NUCDET_HD float operator()(float squared_distance) const { return at(distance(squared_distance)); }
  NUCDET_HD float distance(float squared_distance) const { return detail::distance_of(squared_distance); }
  /// Computed as 1 - expm1(-alpha D / radius) / expm1(-alpha), whose divisions are of settings alone, to base 2.
  NUCDET_HD float at(float distance) const {
    constexpr float kLog2E = 1.44269504f;
    const float bounded = distance < radius ? distance : radius;
    const float factor = distance < radius ? 1.0f : 0.0f;  // a product, as a branch would keep loops scalar
    const float fall = detail::exp2m1(-alpha * kLog2E / radius * bounded);
    return factor * (1.0f - fall * (1.0f / detail::exp2m1(-alpha * kLog2E)));
  }
  NUCDET_HD double reach() const { return static_cast<double>(radius); }
  void check() const {
    detail::check_range("ProximityMap: radius", static_cast<double>(radius), 0.01, kLargestReach);
    detail::check_range("ProximityMap: |alpha|", static_cast<double>(alpha < 0 ? -alpha : alpha), 0.001, 80);
  }
};
static_assert(LabelProfile<ProximityMap> && StagedProfile<ProximityMap>);

}  // namespace nucdet::label
