#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/loss/pixel_loss.hpp"

namespace nucdet::loss {

/// Squared error that weighs the few labelled pixels more than the background, the loss of MicroNet and FRCN.
///   value = mean over maps k of 1/2 w_k (o_k - scale y_k)^2,   w_k = y_k + lambda ybar_k          [Xing 2019, Eq. 2]
///   slope_k = w_k (o_k - scale y_k) / maps
/// With `least_mean` above 0, ybar_k is taken to be at least that: by the formula as printed an image without nuclei
/// has no loss at all, so that a network never learns what glass is. y in [0, 1]: the label; ybar_k: its mean over the
/// image; o: the network's output, which learns scale * y (the paper scales its labels by 5; its weights use the
/// unscaled ones).
///
/// Eq. 3 as printed multiplies this slope by a (1 - a) with a the *input* of the last layer, where the sigmoid's
/// *output* belongs. Here the slope is with respect to o, whatever made it, and the output layer adds its own factor:
/// linear, o = a: 1; rectified, o = max(a, 0): 1 if a > 0, else 0; scaled sigmoid, o = scale sigmoid(a): o (1 - o /
/// scale). check() throws ArgumentError unless 0 < scale <= 1e6 and 0 <= lambda <= 1e6,
/// 0 <= least_mean <= 1.
struct WeightedSquaredError {
  float scale = 5;
  float lambda = 5;
  float least_mean = 0;

  template <class T>
  NUCDET_HD T value(const T* prediction, const T* target, const T* label_mean, int maps) const {
    T sum = 0;
    for (int k = 0; k < maps; ++k) {
      const T error = prediction[k] - static_cast<T>(scale) * target[k];
      sum += weight(target[k], label_mean[k]) * error * error;
    }
    return sum / (2 * static_cast<T>(maps));
  }
  template <class T>
  NUCDET_HD void slope(const T* prediction, const T* target, const T* label_mean, int maps, T* out) const {
    for (int k = 0; k < maps; ++k)
      out[k] =
          weight(target[k], label_mean[k]) * (prediction[k] - static_cast<T>(scale) * target[k]) / static_cast<T>(maps);
  }
  NUCDET_HD int target_maps(int prediction_maps) const { return prediction_maps; }
  void check() const;

 private:
  template <class T>
  NUCDET_HD T weight(T y, T mean) const {
    const T least = static_cast<T>(least_mean);
    return y + static_cast<T>(lambda) * (mean < least ? least : mean);
  }
};
static_assert(PixelLoss<WeightedSquaredError>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void WeightedSquaredError::check() const {
  if (!(scale > 0 && scale <= 1e6f && lambda >= 0 && lambda <= 1e6f && least_mean >= 0 && least_mean <= 1))
    throw ArgumentError(message("WeightedSquaredError: scale is ", scale, ", lambda is ", lambda, ", least_mean is ",
                                least_mean, "; wanted (0, 1e6], [0, 1e6], [0, 1]"));
}

#endif

}  // namespace nucdet::loss
