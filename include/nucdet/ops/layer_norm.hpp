#pragma once
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "nucdet/exec/reduce.hpp"
#include "nucdet/ops/bias_gradient.hpp"

/// Layer norm over the channels of each pixel by itself [Ba et al. 2016; of maps as in Liu et al. 2022].
namespace nucdet::ops {

namespace detail {

/// Grid: one element for each pixel.
inline Shape pixel_grid(const Shape& x) { return {x.n, x.h, x.w, 1}; }
NUCDET_HD inline Index pixel_index(const Shape& s, Index n, Index y, Index x) { return (n * s.h + y) * s.w + x; }

template <class T>
struct PixelMoments {
  View<const T> x;
  double epsilon;
  compute_t<T>*mean, *inverse;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    const C share = C(1) / static_cast<C>(x.shape.c);
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y, i);
      C sum = 0, spread = 0;
      for (Index c = 0; c < x.shape.c; ++c) sum += static_cast<C>(p[c]);
      const C centre = sum * share;
      for (Index c = 0; c < x.shape.c; ++c) {
        const C off = static_cast<C>(p[c]) - centre;
        spread += off * off;
      }
      const Index at = pixel_index(x.shape, t.n, t.y, i);
      mean[at] = centre, inverse[at] = C(1) / std::sqrt(spread * share + static_cast<C>(epsilon));
    }
  }
};

template <class T>
struct PixelNormalize {
  View<const T> x;
  const compute_t<T>*mean, *inverse, *gamma, *beta;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const Index at = pixel_index(x.shape, t.n, t.y, i);
      const C m = mean[at], r = inverse[at];
      const T* const p = x.pixel(t.n, t.y, i);
      T* const q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = static_cast<T>(gamma[c] * ((static_cast<C>(p[c]) - m) * r) + beta[c]);
    }
  }
};

/// Terms of the gradients of beta and gamma.
template <class T>
struct PixelNormSlopes {
  View<const T> x, dy;
  const compute_t<T>*mean, *inverse;
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<compute_t<T>>& sums) const {
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const Index at = pixel_index(x.shape, t.n, t.y, i);
      const C m = mean[at], r = inverse[at];
      const T *const p = x.pixel(t.n, t.y, i), *const d = dy.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) {
        const C slope = static_cast<C>(d[c]);
        sums(0, c) += slope, sums(1, c) += slope * ((static_cast<C>(p[c]) - m) * r);
      }
    }
  }
};

/// dx = r (gamma d - mean(gamma d) - xhat mean(gamma d xhat)), the means over the pixel's channels.
template <class T>
struct PixelNormGradient {
  View<const T> x, dy;
  const compute_t<T>*mean, *inverse, *gamma;
  View<T> dx;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    const C share = C(1) / static_cast<C>(x.shape.c);
    for (Index i = t.x0; i < t.x1; ++i) {
      const Index at = pixel_index(x.shape, t.n, t.y, i);
      const C m = mean[at], r = inverse[at];
      const T *const p = x.pixel(t.n, t.y, i), *const d = dy.pixel(t.n, t.y, i);
      C level = 0, tilt = 0;
      for (Index c = 0; c < x.shape.c; ++c) {
        const C slope = gamma[c] * static_cast<C>(d[c]);
        level += slope, tilt += slope * ((static_cast<C>(p[c]) - m) * r);
      }
      level *= share, tilt *= share;
      T* const q = dx.pixel(t.n, t.y, i);
      for (Index c = 0; c < x.shape.c; ++c)
        q[c] = static_cast<T>(r * (gamma[c] * static_cast<C>(d[c]) - level - (static_cast<C>(p[c]) - m) * r * tilt));
    }
  }
};

}  // namespace detail

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta with mean and variance of the pixel's channels, which are
/// kept in mean and inverse_deviation: [n x h x w] each.
template <class T, class D>
void layer_norm(Context<D>& context, View<const std::type_identity_t<T>> x, double epsilon, const compute_t<T>* gamma,
                const compute_t<T>* beta, compute_t<T>* mean, compute_t<T>* inverse_deviation,
                View<std::type_identity_t<T>> y) {
  if (x.shape != y.shape) throw ShapeError(message("layer_norm: input is ", x.shape, ", the output is ", y.shape));
  exec::parallel_for(context, detail::pixel_grid(x.shape),
                     detail::PixelMoments<T>{x, epsilon, mean, inverse_deviation});
  exec::parallel_for(context, x.shape, detail::PixelNormalize<T>{x, mean, inverse_deviation, gamma, beta, y});
}

/// dx: overwritten, not wanted if it has no data; dgamma, dbeta: added to, or both null.
template <class T, class D>
void layer_norm_gradient(Context<D>& context, View<const std::type_identity_t<T>> x,
                         View<const std::type_identity_t<T>> dy, const compute_t<T>* mean,
                         const compute_t<T>* inverse_deviation, const compute_t<T>* gamma,
                         View<std::type_identity_t<T>> dx, compute_t<T>* dgamma, compute_t<T>* dbeta) {
  using C = compute_t<T>;
  if (x.shape != dy.shape || (dx.data != nullptr && dx.shape != x.shape))
    throw ShapeError(message("layer_norm_gradient: x is ", x.shape, ", dy ", dy.shape, ", dx ", dx.shape));
  if (dgamma != nullptr) {
    const Index channels = x.shape.c;
    const DeviceArray<double, D> sums(context, static_cast<std::size_t>(2 * channels));
    exec::reduce_columns<C, 2>(context, x.shape, 1, detail::PixelNormSlopes<T>{x, dy, mean, inverse_deviation},
                               sums.data());
    exec::parallel_for(context, {1, 1, 1, channels}, detail::AddSums<C>{sums.data(), dbeta});
    exec::parallel_for(context, {1, 1, 1, channels}, detail::AddSums<C>{sums.data() + channels, dgamma});
  }
  if (dx.data != nullptr)
    exec::parallel_for(context, detail::pixel_grid(x.shape),
                       detail::PixelNormGradient<T>{x, dy, mean, inverse_deviation, gamma, dx});
}

}  // namespace nucdet::ops
