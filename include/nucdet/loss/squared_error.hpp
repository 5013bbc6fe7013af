#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/loss/pixel_loss.hpp"

namespace nucdet::loss {

/// Half the squared error, the plain loss of a density or a proximity map.
///   value = mean over maps k of 1/2 (o_k - y_k)^2          slope_k = (o_k - y_k) / maps
struct SquaredError {
  template <class T>
  NUCDET_HD T value(const T* prediction, const T* target, const T*, int maps) const {
    T sum = 0;
    for (int k = 0; k < maps; ++k) sum += (prediction[k] - target[k]) * (prediction[k] - target[k]);
    return sum / (2 * static_cast<T>(maps));
  }
  template <class T>
  NUCDET_HD void slope(const T* prediction, const T* target, const T*, int maps, T* out) const {
    for (int k = 0; k < maps; ++k) out[k] = (prediction[k] - target[k]) / static_cast<T>(maps);
  }
  NUCDET_HD int target_maps(int prediction_maps) const { return prediction_maps; }
};
static_assert(PixelLoss<SquaredError>);

}  // namespace nucdet::loss
