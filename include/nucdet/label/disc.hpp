#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/label/profile.hpp"

namespace nucdet::label {

/// The label of pixel classifiers: 1 in the disc around each nucleus centre, else 0.
///   y(D) = 1 for D <= radius, else 0
/// D, radius: pixels. check() throws ArgumentError unless 0 <= radius <= 4096; a radius of 0 marks centres that lie on
/// a pixel.
struct Disc {
  float radius = 8;

  static constexpr Combine combine = Combine::nearest;

  NUCDET_HD float operator()(float squared_distance) const { return squared_distance <= radius * radius ? 1.0f : 0.0f; }
  NUCDET_HD double reach() const { return static_cast<double>(radius); }
  void check() const;
};
static_assert(LabelProfile<Disc>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void Disc::check() const {
  detail::check_range("Disc: radius", static_cast<double>(radius), 0, kLargestReach);
}

#endif

}  // namespace nucdet::label
