#pragma once
#include <cmath>

#include "nucdet/exec/reduce.hpp"
#include "nucdet/exec/rows.hpp"
#include "nucdet/ops/activation_functors.hpp"

/// The kernels of ops/norm.hpp.
namespace nucdet::ops::detail {

/// The pixel that a group's sums are taken relative to: near enough to the mean that squares lose no digits as
/// E[x^2] - E[x]^2 would, and away from the zero border.
template <class T>
NUCDET_HD const T* pivot(const View<const T>& x, Index images, Index group) {
  return x.pixel(group * images + images / 2, x.shape.h / 2, x.shape.w / 2);
}

/// Terms of the mean and the variance in one pass: x - pivot and its square.
template <class T>
struct NormMoments {
  View<const T> x;
  Index images;  // in a group
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<compute_t<T>>& sums) const {
    using C = compute_t<T>;
    const T* const origin = pivot(x, images, t.n / images);
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) {
        const C d = static_cast<C>(p[c]) - static_cast<C>(origin[c]);
        sums(0, c) += d, sums(1, c) += d * d;
      }
    }
  }
};

/// Sums to mean, 1 / deviation and variance, for one group and channel.
template <class T>
struct NormFinish {
  View<const T> x;
  Index images;
  const double* sums;
  double count, epsilon;
  compute_t<T>*mean, *inverse, *variance;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    const Index channels = x.shape.c;
    for (Index g = t.x0; g < t.x1; ++g) {
      const T* const origin = pivot(x, images, g);
      for (Index c = t.c0; c < t.c1; ++c) {
        const double first = sums[2 * g * channels + c] / count, second = sums[(2 * g + 1) * channels + c] / count;
        const double raw = second - first * first, v = raw > 0 || raw != raw ? raw : 0.0;  // NaN stays NaN
        mean[g * channels + c] = static_cast<C>(static_cast<double>(static_cast<C>(origin[c])) + first);
        inverse[g * channels + c] = static_cast<C>(1 / std::sqrt(v + epsilon));
        if (variance != nullptr) variance[g * channels + c] = static_cast<C>(v);
      }
    }
  }
};

/// The same for groups of channels: each channel of an image gets the mean and the deviation of its group.
template <class T>
struct GroupFinish {
  View<const T> x;
  Index in_group;  // channels
  const double* sums;
  double count, epsilon;  // pixels
  compute_t<T>*mean, *inverse;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index channels = x.shape.c;
    for (Index n = t.x0; n < t.x1; ++n)
      for (Index c = t.c0; c < t.c1; ++c) {
        const Index first = c / in_group * in_group;
        const double centre = group_mean(n, first);
        double spread = 0;
        for (Index k = first; k < first + in_group; ++k) {
          const double off = sums[2 * n * channels + k] / count, away = origin(n, k) + off - centre;
          spread += sums[(2 * n + 1) * channels + k] / count - off * off + away * away;
        }
        const double raw = spread / static_cast<double>(in_group), v = raw > 0 || raw != raw ? raw : 0.0;
        mean[n * channels + c] = static_cast<compute_t<T>>(centre);
        inverse[n * channels + c] = static_cast<compute_t<T>>(1 / std::sqrt(v + epsilon));
      }
  }

 private:
  NUCDET_HD double origin(Index n, Index c) const {
    return static_cast<double>(static_cast<compute_t<T>>(pivot(x, 1, n)[c]));
  }
  NUCDET_HD double group_mean(Index n, Index first) const {
    double sum = 0;
    for (Index k = first; k < first + in_group; ++k) sum += origin(n, k) + sums[2 * n * x.shape.c + k] / count;
    return sum / static_cast<double>(in_group);
  }
};

template <class T>
struct ReadRunning {
  const T *running_mean, *running_variance;
  T epsilon;
  T *mean, *inverse;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c)
      mean[c] = running_mean[c], inverse[c] = T(1) / std::sqrt(running_variance[c] + epsilon);
  }
};

template <class T>
struct MoveRunning {
  const T *mean, *variance;
  double unbiased, momentum;
  T *running_mean, *running_variance;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c) {
      T &m = running_mean[c], &v = running_variance[c];
      m += static_cast<T>(momentum * (static_cast<double>(mean[c]) - static_cast<double>(m)));
      v += static_cast<T>(momentum * (unbiased * static_cast<double>(variance[c]) - static_cast<double>(v)));
    }
  }
};

/// The line y = scale x + shift that normalisation is, per group and channel.
template <class C>
struct NormLine {
  Index channels;
  const C *mean, *inverse, *gamma, *beta;
  C *scale, *shift;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index g = t.x0; g < t.x1; ++g)
      for (Index c = t.c0; c < t.c1; ++c) {
        const Index i = g * channels + c;
        scale[i] = gamma != nullptr ? gamma[c] * inverse[i] : inverse[i];
        shift[i] = (beta != nullptr ? beta[c] : C(0)) - mean[i] * scale[i];
      }
  }
};

template <class T, class F>
struct ScaleShift {
  static constexpr bool knows_place = true;
  const compute_t<T>*scale, *shift;
  Index images, channels;
  F f;
  NUCDET_HD void operator()(const exec::RunPlace& at, const T* x, T* y, Index count) const {
    using C = compute_t<T>;
    const C *const a = scale + at.n / images * channels + at.c, *const b = shift + at.n / images * channels + at.c;
    const F function = f;
    for (Index i = 0; i < count; ++i) y[i] = static_cast<T>(function(a[i] * static_cast<C>(x[i]) + b[i]));
  }
};

/// The normalised x, and the slope of the activation behind it, at one group's channels.
template <class T, class F>
struct NormSlope {
  const compute_t<T>*mean, *inverse, *gamma, *beta;
  Index images, channels;
  F f;

  struct Channel {
    compute_t<T> normal, slope;
  };
  /// For element x of channel c of image n.
  NUCDET_HD Channel at(Index n, Index c, compute_t<T> x) const {
    using C = compute_t<T>;
    const Index i = n / images * channels + c;
    const C normal = (x - mean[i]) * inverse[i];
    if constexpr (std::is_same_v<F, Same>) {
      return {normal, C(1)};
    } else {
      const C line = (gamma != nullptr ? gamma[c] : C(1)) * normal + (beta != nullptr ? beta[c] : C(0));
      return {normal, slope_at(f, line)};
    }
  }
};

/// Terms of the gradients: sums of the slope before the activation, and of it times the normalised x.
template <class T, class F>
struct NormSlopes {
  View<const T> x, dy;
  NormSlope<T, F> slope;
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<compute_t<T>>& sums) const {
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T *const p = x.pixel(t.n, t.y, i), *const g = dy.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) {
        const auto at = slope.at(t.n, c, static_cast<C>(p[c]));
        const C d = at.slope * static_cast<C>(g[c]);
        sums(0, c) += d, sums(1, c) += d * at.normal;
      }
    }
  }
};

/// From those sums: gradients of gamma and beta, and the plane dx = of_dy d + of_x x + constant, for each channel.
/// totals: of all that the statistics are of, `count` pixels; the sums themselves unless other ranks have a part.
template <class C>
struct NormPlane {
  const double *sums, *totals;
  Index groups, channels;
  double count;
  bool through_statistics;
  const C *mean, *inverse, *gamma;
  C *of_dy, *of_x, *constant, *dgamma, *dbeta;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c)
      for (Index g = 0; g < groups; ++g) {
        const Index i = g * channels + c;
        const double of_slope = sums[2 * g * channels + c], of_product = sums[(2 * g + 1) * channels + c];
        if (dbeta != nullptr) dbeta[c] += static_cast<C>(of_slope);
        if (dgamma != nullptr) dgamma[c] += static_cast<C>(of_product);
        const double r = static_cast<double>(inverse[i]),
                     scale = r * (gamma != nullptr ? static_cast<double>(gamma[c]) : 1.0);
        // dx = scale (d - mean(d) - xhat mean(d xhat)), with xhat = (x - mean) r
        const double tilt = through_statistics ? totals[(2 * g + 1) * channels + c] / count : 0.0,
                     level = through_statistics ? totals[2 * g * channels + c] / count : 0.0;
        of_dy[i] = static_cast<C>(scale), of_x[i] = static_cast<C>(-scale * tilt * r);
        constant[i] = static_cast<C>(scale * (tilt * r * static_cast<double>(mean[i]) - level));
      }
  }
};

/// The same for groups of channels, whose sums are weighted by gamma; `groups` are the images.
template <class C>
struct GroupPlane {
  const double* sums;
  Index images, channels, in_group;
  double count;  // elements of a group
  const C *mean, *inverse, *gamma;
  C *of_dy, *of_x, *constant, *dgamma, *dbeta;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c)
      for (Index n = 0; n < images; ++n) {
        const Index i = n * channels + c, first = c / in_group * in_group;
        if (dbeta != nullptr) dbeta[c] += static_cast<C>(sums[2 * n * channels + c]);
        if (dgamma != nullptr) dgamma[c] += static_cast<C>(sums[(2 * n + 1) * channels + c]);
        double level = 0, tilt = 0;
        for (Index k = first; k < first + in_group; ++k)
          level += weight(k) * sums[2 * n * channels + k], tilt += weight(k) * sums[(2 * n + 1) * channels + k];
        level /= count, tilt /= count;
        const double r = static_cast<double>(inverse[i]);
        // dx = r (gamma d - mean(gamma d) - xhat mean(gamma d xhat))
        of_dy[i] = static_cast<C>(r * weight(c)), of_x[i] = static_cast<C>(-r * r * tilt);
        constant[i] = static_cast<C>(r * (r * tilt * static_cast<double>(mean[i]) - level));
      }
  }

 private:
  NUCDET_HD double weight(Index c) const { return gamma != nullptr ? static_cast<double>(gamma[c]) : 1.0; }
};

template <class T, class F>
struct NormDataGradient {
  static constexpr bool knows_place = true;
  const compute_t<T>*of_dy, *of_x, *constant;
  NormSlope<T, F> slope;
  NUCDET_HD void operator()(const exec::RunPlace& at, const T* x, const T* dy, T* dx, Index count) const {
    using C = compute_t<T>;
    const Index first = at.n / slope.images * slope.channels + at.c;
    const C *const a = of_dy + first, *const b = of_x + first, *const k = constant + first;
    for (Index i = 0; i < count; ++i) {
      const C v = static_cast<C>(x[i]);
      const C d = slope.at(at.n, at.c + i, v).slope * static_cast<C>(dy[i]);
      dx[i] = static_cast<T>(a[i] * d + b[i] * v + k[i]);
    }
  }
};

}  // namespace nucdet::ops::detail
