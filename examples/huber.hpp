#pragma once
/// A loss of one's own, for the processor and a GPU alike.
#include <cmath>

#include <nucdet/core/config.hpp>
#include <nucdet/loss/pixel_loss.hpp>

//! [loss]
/// Huber's loss on the scaled label: squared near 0, linear beyond `delta`, so that a wrongly placed dot pulls less.
struct Huber {
  float scale = 5, delta = 1;

  template <class T>
  NUCDET_HD T value(const T* prediction, const T* target, const T*, int maps) const {
    T sum = 0;
    for (int k = 0; k < maps; ++k) {
      const T error = std::abs(prediction[k] - static_cast<T>(scale) * target[k]), d = static_cast<T>(delta);
      sum += error < d ? error * error / 2 : d * (error - d / 2);
    }
    return sum / static_cast<T>(maps);
  }
  template <class T>
  NUCDET_HD void slope(const T* prediction, const T* target, const T*, int maps, T* out) const {
    const T d = static_cast<T>(delta);
    for (int k = 0; k < maps; ++k) {
      const T error = prediction[k] - static_cast<T>(scale) * target[k];
      out[k] = (error < -d ? -d : error > d ? d : error) / static_cast<T>(maps);
    }
  }
  NUCDET_HD int target_maps(int prediction_maps) const { return prediction_maps; }
};
static_assert(nucdet::loss::PixelLoss<Huber>);
//! [loss]
