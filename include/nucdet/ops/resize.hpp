#pragma once
#include <type_traits>

#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/ops/gather.hpp"

/// Up-sampling by a whole factor. Pixel centres are aligned: output u lies at (u + 1/2) / factor - 1/2 of the input,
/// clamped to the first and last pixel (PyTorch's align_corners = false).
namespace nucdet::ops {

namespace detail {

/// The two input pixels that an output pixel mixes along one axis, and the second one's share.
template <class T>
struct Mix {
  Index first, second;
  T share;
  NUCDET_HD Mix(Index u, Index factor, Index size) {
    // (u + 1/2) / factor - 1/2 = (2 u + 1 - factor) / (2 factor), exact up to the one division
    const Index numerator = 2 * u + 1 - factor;
    first = numerator <= 0 ? 0 : numerator / (2 * factor);
    share = numerator <= 0 ? T(0) : static_cast<T>(numerator - first * 2 * factor) / static_cast<T>(2 * factor);
    second = first + 1 < size ? first + 1 : first;
  }
  /// The weight of input pixel i.
  NUCDET_HD T of(Index i) const { return (i == first ? T(1) - share : T(0)) + (i == second ? share : T(0)); }
};

template <class T>
struct UpsampleNearest {
  View<const T> x;
  Index factor;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y / factor, i / factor);
      T* const q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = p[c];
    }
  }
};

template <class T>
struct UpsampleNearestGradient {
  View<const T> dy;
  Index factor;
  View<T> dx;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      gather_channels(dx.pixel(t.n, t.y, i), t.c0, t.c1, [&](const auto& add) {
        for (Index k = 0; k < factor * factor; ++k)
          add(compute_t<T>(1), dy.pixel(t.n, t.y * factor + k / factor, i * factor + k % factor));
      });
    }
  }
};

template <class T>
struct UpsampleBilinear {
  View<const T> x;
  Index factor;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    const Mix<C> rows(t.y, factor, x.shape.h);
    for (Index i = t.x0; i < t.x1; ++i) {
      const Mix<C> columns(i, factor, x.shape.w);
      const T *const a = x.pixel(t.n, rows.first, columns.first), *const b = x.pixel(t.n, rows.first, columns.second);
      const T *const d = x.pixel(t.n, rows.second, columns.first), *const e = x.pixel(t.n, rows.second, columns.second);
      T* const q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) {
        const C left = static_cast<C>(a[c]), low = static_cast<C>(d[c]);
        const C top = left + columns.share * (static_cast<C>(b[c]) - left),
                bottom = low + columns.share * (static_cast<C>(e[c]) - low);
        q[c] = static_cast<T>(top + rows.share * (bottom - top));
      }
    }
  }
};

/// Gathers: an input pixel sums the outputs that mixed it in, which lie within factor of its block.
template <class T>
struct UpsampleBilinearGradient {
  View<const T> dy;
  Index factor;
  View<T> dx;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index top = max0((t.y - 1) * factor), bottom = least((t.y + 2) * factor, dy.shape.h);
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const Index left = max0((i - 1) * factor), right = least((i + 2) * factor, dy.shape.w);
      gather_channels(dx.pixel(t.n, t.y, i), t.c0, t.c1, [&](const auto& add) {
        for (Index u = top; u < bottom; ++u) {
          const C row = Mix<C>(u, factor, dx.shape.h).of(t.y);
          if (row == C(0)) continue;
          for (Index v = left; v < right; ++v) add(row * Mix<C>(v, factor, dx.shape.w).of(i), dy.pixel(t.n, u, v));
        }
      });
    }
  }

 private:
  NUCDET_HD static Index max0(Index a) { return a > 0 ? a : 0; }
  NUCDET_HD static Index least(Index a, Index b) { return a < b ? a : b; }
};

inline void check_upsample(const char* op, const Shape& small, Index factor, const Shape& large) {
  if (factor < 1) throw ArgumentError(message(op, ": factor is ", factor, ", must be >= 1"));
  if (large != Shape{small.n, small.h * factor, small.w * factor, small.c})
    throw ShapeError(message(op, ": ", small, " times ", factor, " is not ", large));
}

}  // namespace detail

template <class T, class D>
void upsample_nearest(Context<D>& context, View<const std::type_identity_t<T>> x, Index factor,
                      View<std::type_identity_t<T>> y) {
  detail::check_upsample("upsample_nearest", x.shape, factor, y.shape);
  exec::parallel_for(context, y.shape, detail::UpsampleNearest<T>{x, factor, y});
}
template <class T, class D>
void upsample_nearest_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, Index factor,
                               View<std::type_identity_t<T>> dx) {
  detail::check_upsample("upsample_nearest_gradient", dx.shape, factor, dy.shape);
  exec::parallel_for(context, dx.shape, detail::UpsampleNearestGradient<T>{dy, factor, dx});
}
template <class T, class D>
void upsample_bilinear(Context<D>& context, View<const std::type_identity_t<T>> x, Index factor,
                       View<std::type_identity_t<T>> y) {
  detail::check_upsample("upsample_bilinear", x.shape, factor, y.shape);
  exec::parallel_for(context, y.shape, detail::UpsampleBilinear<T>{x, factor, y});
}
template <class T, class D>
void upsample_bilinear_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, Index factor,
                                View<std::type_identity_t<T>> dx) {
  detail::check_upsample("upsample_bilinear_gradient", dx.shape, factor, dy.shape);
  exec::parallel_for(context, dx.shape, detail::UpsampleBilinearGradient<T>{dy, factor, dx});
}

}  // namespace nucdet::ops
