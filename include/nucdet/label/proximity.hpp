#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/core/math.hpp"
#include "nucdet/label/profile.hpp"

namespace nucdet::label {

/// Proximity of a pixel to its nearest nucleus centre, the label of MicroNet and FRCN.
///   y(D) = (exp(alpha (1 - D / radius)) - 1) / (exp(alpha) - 1)  for D <= radius, else 0      [Xing 2019, Eq. 1]
/// D, radius: pixels. y in [0, 1], y(0) = 1 exactly, continuous at D = radius. A negative alpha bends the curve
/// outward. check() throws ArgumentError unless 0.01 <= radius <= 4096 and 0.001 <= |alpha| <= 80.
struct ProximityMap {
  float alpha = 3;
  float radius = 15;

  static constexpr Combine combine = Combine::nearest;

  NUCDET_HD float operator()(float squared_distance) const { return at(distance(squared_distance)); }
  NUCDET_HD float distance(float squared_distance) const { return math::root(squared_distance); }
  /// Computed as 1 - expm1(-alpha D / radius) / expm1(-alpha), whose divisions are of settings alone, to base 2.
  NUCDET_HD float at(float distance) const {
    constexpr float kLog2E = 1.44269504f;
    const float bounded = distance < radius ? distance : radius;
    const float factor = distance < radius ? 1.0f : 0.0f;  // a product, as a branch would keep loops scalar
    const float fall = math::exp2m1(-alpha * kLog2E / radius * bounded);
    return factor * (1.0f - fall * (1.0f / math::exp2m1(-alpha * kLog2E)));
  }
  NUCDET_HD double reach() const { return static_cast<double>(radius); }
  void check() const;
};
static_assert(LabelProfile<ProximityMap> && StagedProfile<ProximityMap>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void ProximityMap::check() const {
  detail::check_range("ProximityMap: radius", static_cast<double>(radius), 0.01, kLargestReach);
  detail::check_range("ProximityMap: |alpha|", static_cast<double>(alpha < 0 ? -alpha : alpha), 0.001, 80);
}

#endif

}  // namespace nucdet::label
