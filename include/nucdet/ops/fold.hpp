#pragma once
#include <cmath>

#include "nucdet/core/half.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::ops {

namespace detail {

template <class T>
struct FoldNorm {
  const T *gamma, *beta, *mean, *variance;
  double epsilon;
  Index channels, per_channel;
  bool output_last;  // a transposed convolution's weights: the output channel is the innermost axis
  T *weight, *bias;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index o = t.c0; o < t.c1; ++o) {
      const double deviation = std::sqrt(at(variance, o, 1) + epsilon);
      const double scale = at(gamma, o, 1) / deviation;
      bias[o] = static_cast<T>((static_cast<double>(bias[o]) - at(mean, o, 0)) * scale + at(beta, o, 0));
      for (Index i = 0; i < per_channel; ++i) {
        T& w = output_last ? weight[i * channels + o] : weight[o * per_channel + i];
        w = static_cast<T>(static_cast<double>(w) * scale);
      }
    }
  }

 private:
  NUCDET_HD static double at(const T* values, Index o, double otherwise) {
    return values != nullptr ? static_cast<double>(values[o]) : otherwise;
  }
};

}  // namespace detail

/// Takes gamma (x - mean) / sqrt(variance + epsilon) + beta into the convolution before it, in place: weight *= gamma /
/// deviation for each of `channels` outputs, the bias follows; in double. Null: gamma and variance 1, mean and beta 0.
template <class T, class D>
void fold_norm(Context<D>& context, const T* gamma, const T* beta, const T* mean, const T* variance, double epsilon,
               Index channels, Index weights, bool output_last, T* weight, T* bias) {
  exec::parallel_for(context, {1, 1, 1, channels},
                     detail::FoldNorm<T>{gamma, beta, mean, variance, epsilon, channels, weights / channels,
                                         output_last, weight, bias});
}

}  // namespace nucdet::ops
