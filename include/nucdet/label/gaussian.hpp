#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/core/math.hpp"
#include "nucdet/label/profile.hpp"

namespace nucdet::label {

/// Density of nuclei, the label of FCRN: one Gaussian a nucleus, overlapping ones added.
///   y(D) = scale exp(-D^2 / (2 sigma^2)) / (2 pi sigma^2 (1 - exp(-8)))  for D <= 4 sigma, else 0
/// D, sigma: pixels. The last factor makes up for the cut, so that the pixels of a nucleus whose disc lies inside the
/// image sum to `scale` (to 0.1 % for sigma >= 1, to 4 % for sigma = 0.5, where pixels are too coarse for the curve):
/// sum(map) / scale counts nuclei. What falls outside the image is lost.
/// check() throws ArgumentError unless 0.5 <= sigma <= 1024 and 1e-6 <= scale <= 1e6.
struct GaussianDensity {
  float sigma = 4;
  float scale = 100;

  static constexpr Combine combine = Combine::sum;
  /// The cut, in sigmas.
  static constexpr float kCut = 4;

  NUCDET_HD float operator()(float squared_distance) const {
    constexpr float norm = 1.0f / (6.28318531f * 0.999664537f);  // 1 / (2 pi (1 - exp(-8)))
    const float reciprocal = 1.0f / (sigma * sigma), limit = kCut * kCut * sigma * sigma;
    const float bounded = squared_distance < limit ? squared_distance : limit;
    const float factor = squared_distance <= limit ? 1.0f : 0.0f;  // a product, as a branch would keep loops scalar
    return factor * (scale * norm * reciprocal * math::exp(-0.5f * reciprocal * bounded));
  }
  NUCDET_HD double reach() const { return static_cast<double>(kCut) * static_cast<double>(sigma); }
  void check() const;
};
static_assert(LabelProfile<GaussianDensity>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void GaussianDensity::check() const {
  detail::check_range("GaussianDensity: sigma", static_cast<double>(sigma), 0.5, kLargestReach / 4);
  detail::check_range("GaussianDensity: scale", static_cast<double>(scale), 1e-6, 1e6);
}

#endif

}  // namespace nucdet::label
