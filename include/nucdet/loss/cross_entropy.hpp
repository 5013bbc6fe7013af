#pragma once
#include <cmath>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/loss/pixel_loss.hpp"

namespace nucdet::loss {

/// Two-class cross-entropy, the loss of the pixel classifiers (U-Net, FCN).
///   value = -nucleus t log p - background (1 - t) log(1 - p),   p = exp(o_1) / (exp(o_0) + exp(o_1))
///   slope_1 = -slope_0 = background (1 - t) p - nucleus t (1 - p)
/// o: two maps, background and nucleus, before the softmax; t in [0, 1]: one map, 0 or 1 or anything between.
/// nucleus, background: class weights; the value is not divided by their sum, as PyTorch's mean would be.
/// Computed from o_1 - o_0 without overflow for any finite input. check() throws ArgumentError for weights below 0,
/// above 1e6 or both zero.
struct CrossEntropy {
  float background = 1;
  float nucleus = 1;

  /// Inverse-frequency weights: both classes get the same share of the whole. fraction: of nucleus pixels, in (0, 1).
  static CrossEntropy balanced(double fraction) {
    if (!(fraction > 0 && fraction < 1))
      throw ArgumentError(message("CrossEntropy: fraction of nucleus pixels is ", fraction, ", must be in (0, 1)"));
    return {.background = static_cast<float>(0.5 / (1 - fraction)), .nucleus = static_cast<float>(0.5 / fraction)};
  }

  template <class T>
  NUCDET_HD T value(const T* prediction, const T* target, const T*, int) const {
    const T z = prediction[1] - prediction[0], t = target[0];
    return static_cast<T>(nucleus) * t * softplus(-z) + static_cast<T>(background) * (1 - t) * softplus(z);
  }
  template <class T>
  NUCDET_HD void slope(const T* prediction, const T* target, const T*, int, T* out) const {
    const T z = prediction[1] - prediction[0], t = target[0];
    const T small = std::exp(z < 0 ? z : -z);  // the smaller class against the larger
    const T p = (z < 0 ? small : T(1)) / (1 + small), q = (z < 0 ? T(1) : small) / (1 + small);
    out[1] = static_cast<T>(background) * (1 - t) * p - static_cast<T>(nucleus) * t * q;
    out[0] = -out[1];
  }
  NUCDET_HD int target_maps(int prediction_maps) const { return prediction_maps == 2 ? 1 : 0; }
  void check() const;

 private:
  /// log(1 + exp(z))
  template <class T>
  NUCDET_HD static T softplus(T z) {
    return (z > 0 ? z : T(0)) + std::log1p(std::exp(z > 0 ? -z : z));
  }
};
static_assert(PixelLoss<CrossEntropy>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void CrossEntropy::check() const {
  const bool valid = background >= 0 && nucleus >= 0 && background <= 1e6f && nucleus <= 1e6f;
  if (!valid || background + nucleus == 0)
    throw ArgumentError(
        message("CrossEntropy: weights are ", background, " and ", nucleus, ", must be in [0, 1e6] and not both 0"));
}

#endif

}  // namespace nucdet::loss
