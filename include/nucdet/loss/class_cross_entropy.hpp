#pragma once
#include <cmath>
#include <initializer_list>
#include <span>

#include "nucdet/core/class_names.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/loss/pixel_loss.hpp"

namespace nucdet::loss {

/// Cross-entropy of K classes where a class is known, the loss of a network's class maps.
///   value = w_k (log sum_j exp(o_j) - o_k) / max(share, least_share)         k = t - 1, for t in 1 ... K
///   slope_j = w_k (p_j - [j = k]) / max(share, least_share),                 p = softmax(o)
///   both 0 for t = 0
/// o: K maps before the softmax, 2 to 16; t: one map, 1 + the class, 0 where it is not known (label::ClassDisc draws
/// it). share: of the image's pixels those with a class. By it the mean over all pixels, which `evaluate` takes,
/// becomes the mean over the labelled ones (PyTorch's `ignore_index` for each image, but not divided by the weights):
/// the loss does not depend on how dense the nuclei are. Images with less than least_share, and so with few nuclei,
/// count for less. weights: one a class; those of classes beyond K play no part. A label that is no whole number counts
/// as the nearest; one beyond K gives NaN, as a score does that is not finite. check() throws ArgumentError unless all
/// weights are in [0, 1e6] and 0 < least_share <= 1.
struct ClassCrossEntropy {
  float weights[kMostClasses] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  float least_share = 0.02f;

  /// Inverse-frequency weights: every class has the same part in the whole, and the weights' mean over the nuclei is 1.
  ///   w_k = sum_j n_j / (K n_k)
  /// counts: of nuclei, one number a class. Throws ArgumentError for less than 2 or more than 16, and for a class
  /// without nuclei, of which nothing can be learnt.
  static ClassCrossEntropy balanced(std::span<const Index> counts) {
    if (counts.size() < 2 || counts.size() > kMostClasses)
      throw ArgumentError(message("ClassCrossEntropy: ", counts.size(), " classes, wanted 2 to ", kMostClasses));
    ClassCrossEntropy loss;
    double all = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
      if (counts[k] < 1)
        throw ArgumentError(message("ClassCrossEntropy: class ", k, " has ", counts[k], " nuclei, wanted some"));
      all += static_cast<double>(counts[k]);
    }
    for (std::size_t k = 0; k < counts.size(); ++k)
      loss.weights[k] = static_cast<float>(all / (static_cast<double>(counts.size()) * static_cast<double>(counts[k])));
    return loss;
  }
  static ClassCrossEntropy balanced(std::initializer_list<Index> counts) {
    return balanced(std::span<const Index>(counts.begin(), counts.size()));
  }

  /// 1 where a class is known: label_mean is the share of such pixels.
  template <class T>
  NUCDET_HD T counted(T target) const {
    return target >= T(0.5) ? T(1) : T(0);
  }
  template <class T>
  NUCDET_HD T value(const T* prediction, const T* target, const T* label_mean, int maps) const {
    T sum = 0, largest = prediction[0], zero = 0;
    for (int k = 0; k < maps; ++k) {
      largest = prediction[k] > largest ? prediction[k] : largest;
      zero += 0 * prediction[k];  // not a number if a score is not finite, wherever it lies
    }
    if (target[0] < T(0.5)) return zero;
    if (!(target[0] < static_cast<T>(maps) + T(0.5))) return static_cast<T>(NAN);
    for (int k = 0; k < maps; ++k) sum += std::exp(prediction[k] - largest);
    const int k = class_of(target[0]);
    return zero + factor(k, label_mean[0]) * (std::log(sum) + largest - prediction[k]);
  }
  template <class T>
  NUCDET_HD void slope(const T* prediction, const T* target, const T* label_mean, int maps, T* out) const {
    T sum = 0, largest = prediction[0];
    for (int k = 0; k < maps; ++k) largest = prediction[k] > largest ? prediction[k] : largest;
    for (int k = 0; k < maps; ++k) sum += out[k] = std::exp(prediction[k] - largest);
    const bool known = target[0] >= T(0.5) && target[0] < static_cast<T>(maps) + T(0.5);
    const int at = known ? class_of(target[0]) : 0;
    const T scale = known ? factor(at, label_mean[0]) : T(0);
    for (int k = 0; k < maps; ++k) out[k] = scale * (out[k] / sum - (k == at ? T(1) : T(0)));
  }
  NUCDET_HD int target_maps(int prediction_maps) const {
    return prediction_maps >= 2 && prediction_maps <= kMostClasses ? 1 : 0;
  }
  void check() const;

 private:
  template <class T>
  NUCDET_HD static int class_of(T target) {
    return static_cast<int>(target + T(0.5)) - 1;
  }
  template <class T>
  NUCDET_HD T factor(int k, T share) const {
    const T least = static_cast<T>(least_share);
    return static_cast<T>(weights[k]) / (share < least ? least : share);
  }
};
static_assert(PixelLoss<ClassCrossEntropy> && CountingLoss<ClassCrossEntropy>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void ClassCrossEntropy::check() const {
  for (const float w : weights)
    if (!(w >= 0 && w <= 1e6f))
      throw ArgumentError(message("ClassCrossEntropy: a weight is ", w, ", must be in [0, 1e6]"));
  if (!(least_share > 0 && least_share <= 1))
    throw ArgumentError(message("ClassCrossEntropy: least_share is ", least_share, ", must be in (0, 1]"));
}

#endif

}  // namespace nucdet::loss
