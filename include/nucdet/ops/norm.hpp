#pragma once
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "nucdet/exec/reduce.hpp"

/// Batch and instance normalisation [Ioffe and Szegedy 2015]. `groups` runs of images share statistics: 1 for batch
/// norm, n for instance norm. Statistics are arrays [groups x channels].
namespace nucdet::ops {

namespace detail {

/// Terms of the mean: sums of x.
template <class T>
struct NormSum {
  View<const T> x;
  NUCDET_HD void operator()(const Tile& t, T* sums) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) sums[c] += p[c];
    }
  }
};

/// Terms of the variance: squares of the distance to the mean, which loses no digits as E[x^2] - E[x]^2 would.
template <class T>
struct NormSquares {
  View<const T> x;
  const T* mean;
  Index images;  // in a group
  NUCDET_HD void operator()(const Tile& t, T* sums) const {
    const T* const m = mean + t.n / images * x.shape.c;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) sums[c] += (p[c] - m[c]) * (p[c] - m[c]);
    }
  }
};

/// y = scale x + shift, per group and channel.
template <class T>
struct ScaleShift {
  View<const T> x;
  View<T> y;
  const T *scale, *shift;
  Index images;
  NUCDET_HD void operator()(const Tile& t) const {
    const T *const a = scale + t.n / images * x.shape.c, *const b = shift + t.n / images * x.shape.c;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y, i);
      T* const q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = a[c] * p[c] + b[c];
    }
  }
};

/// Terms of the gradients: sums of dy, and of dy times the normalised x.
template <class T>
struct NormSlopes {
  View<const T> x, dy;
  const T *mean, *inverse;
  Index images;
  NUCDET_HD void operator()(const Tile& t, T* sums) const {
    const Index channels = x.shape.c;
    const T *const m = mean + t.n / images * channels, *const r = inverse + t.n / images * channels;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T *const p = x.pixel(t.n, t.y, i), *const g = dy.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) sums[c] += g[c];
      for (Index c = t.c0; c < t.c1; ++c) sums[channels + c] += g[c] * ((p[c] - m[c]) * r[c]);
    }
  }
};

/// dx = a dy + b x + c0, per group and channel.
template <class T>
struct NormDataGradient {
  View<const T> x, dy;
  View<T> dx;
  const T *of_dy, *of_x, *constant;
  Index images;
  NUCDET_HD void operator()(const Tile& t) const {
    const Index first = t.n / images * x.shape.c;
    const T *const a = of_dy + first, *const b = of_x + first, *const k = constant + first;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T *const p = x.pixel(t.n, t.y, i), *const g = dy.pixel(t.n, t.y, i);
      T* const q = dx.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = a[c] * g[c] + b[c] * p[c] + k[c];
    }
  }
};

inline void check_groups(const char* op, const Shape& x, Index groups) {
  if (groups < 1 || x.n % groups != 0 || x.count() == 0)
    throw ShapeError(message(op, ": ", groups, " groups of the images of ", x));
}

}  // namespace detail

/// Mean, 1 / sqrt(variance + epsilon) and, unless null, the biased variance of each group and channel.
template <class T, class D>
void norm_statistics(Context<D>& context, View<const std::type_identity_t<T>> x, Index groups, double epsilon, T* mean,
                     T* inverse_deviation, T* variance) {
  detail::check_groups("norm_statistics", x.shape, groups);
  const std::size_t size = static_cast<std::size_t>(groups * x.shape.c);
  const double count = static_cast<double>(x.shape.pixels() / groups);
  std::vector<double> sums(size);
  reduce_columns<T, 1>(context, x.shape, groups, detail::NormSum<T>{x}, sums.data());
  for (std::size_t i = 0; i < size; ++i) mean[i] = static_cast<T>(sums[i] / count);
  reduce_columns<T, 1>(context, x.shape, groups, detail::NormSquares<T>{x, mean, x.shape.n / groups}, sums.data());
  for (std::size_t i = 0; i < size; ++i) {
    const double v = sums[i] / count;
    inverse_deviation[i] = static_cast<T>(1 / std::sqrt(v + epsilon));
    if (variance != nullptr) variance[i] = static_cast<T>(v);
  }
}

/// y = gamma (x - mean) inverse_deviation + beta. gamma and beta: one a channel, or both null; y may be x.
template <class T, class D>
void normalize(Context<D>& context, View<const std::type_identity_t<T>> x, Index groups, const T* mean,
               const T* inverse_deviation, const T* gamma, const T* beta, View<std::type_identity_t<T>> y) {
  detail::check_groups("normalize", x.shape, groups);
  if (x.shape != y.shape) throw ShapeError(message("normalize: input is ", x.shape, ", the output is ", y.shape));
  std::vector<T> scale(static_cast<std::size_t>(groups * x.shape.c)), shift(scale.size());
  for (std::size_t i = 0; i < scale.size(); ++i) {
    const std::size_t c = i % static_cast<std::size_t>(x.shape.c);
    scale[i] = gamma != nullptr ? gamma[c] * inverse_deviation[i] : inverse_deviation[i];
    shift[i] = (beta != nullptr ? beta[c] : T(0)) - mean[i] * scale[i];
  }
  parallel_for(context, y.shape, detail::ScaleShift<T>{x, y, scale.data(), shift.data(), x.shape.n / groups});
}

/// Gradients of `normalize` after `norm_statistics` (through_statistics: the mean and the deviation move with x) or
/// with given statistics (not). dx: overwritten, not wanted if it has no data; dgamma, dbeta: added to, or null.
template <class T, class D>
void normalize_gradient(Context<D>& context, View<const std::type_identity_t<T>> x,
                        View<const std::type_identity_t<T>> dy, Index groups, const T* mean, const T* inverse_deviation,
                        const T* gamma, bool through_statistics, View<std::type_identity_t<T>> dx, T* dgamma,
                        T* dbeta) {
  detail::check_groups("normalize_gradient", x.shape, groups);
  if (x.shape != dy.shape || (dx.data != nullptr && dx.shape != x.shape))
    throw ShapeError(message("normalize_gradient: x is ", x.shape, ", dy ", dy.shape, ", dx ", dx.shape));
  const std::size_t channels = static_cast<std::size_t>(x.shape.c), size = static_cast<std::size_t>(groups) * channels;
  const Index images = x.shape.n / groups;
  std::vector<double> sums(2 * size);
  reduce_columns<T, 2>(context, x.shape, groups, detail::NormSlopes<T>{x, dy, mean, inverse_deviation, images},
                       sums.data());
  const auto sum_of = [&](std::size_t i, std::size_t term) {
    return sums[(i / channels * 2 + term) * channels + i % channels];
  };
  std::vector<T> of_dy(size), of_x(size), constant(size);
  const double count = static_cast<double>(x.shape.pixels() / groups);
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t c = i % channels;
    if (dbeta != nullptr) dbeta[c] += static_cast<T>(sum_of(i, 0));
    if (dgamma != nullptr) dgamma[c] += static_cast<T>(sum_of(i, 1));
    const double r = static_cast<double>(inverse_deviation[i]),
                 scale = r * (gamma != nullptr ? static_cast<double>(gamma[c]) : 1.0);
    // dx = scale (dy - mean(dy) - xhat mean(dy xhat)), with xhat = (x - mean) r
    const double slope = through_statistics ? sum_of(i, 1) / count : 0.0,
                 level = through_statistics ? sum_of(i, 0) / count : 0.0;
    of_dy[i] = static_cast<T>(scale), of_x[i] = static_cast<T>(-scale * slope * r);
    constant[i] = static_cast<T>(scale * (slope * r * static_cast<double>(mean[i]) - level));
  }
  if (dx.data != nullptr)
    parallel_for(context, dx.shape,
                 detail::NormDataGradient<T>{x, dy, dx, of_dy.data(), of_x.data(), constant.data(), images});
}

}  // namespace nucdet::ops
