#pragma once
#include <type_traits>

#include "nucdet/exec/parallel_for.hpp"

/// Pooling over square windows; the output has floor((size - window) / stride) + 1 pixels.
namespace nucdet::ops {

namespace detail {

template <class T, bool Maximum>
struct Pool {
  View<const T> x;
  Index window, stride;
  View<T> y;

  NUCDET_HD void operator()(const Tile& t) const {
    const T share = T(1) / static_cast<T>(window * window);
    for (Index i = t.x0; i < t.x1; ++i) {
      T* const out = y.pixel(t.n, t.y, i);
      for (Index k = 0; k < window * window; ++k) {
        const T* const p = x.pixel(t.n, t.y * stride + k / window, i * stride + k % window);
        for (Index c = t.c0; c < t.c1; ++c) {
          if constexpr (Maximum)
            out[c] = k == 0 || p[c] > out[c] || p[c] != p[c] ? p[c] : out[c];
          else
            out[c] = (k == 0 ? T(0) : out[c]) + share * p[c];
        }
      }
    }
  }
};

/// The output rows (or columns) whose window holds input row `at`: [first, last].
struct Readers {
  Index first, last;
  NUCDET_HD Readers(Index at, Index window, Index stride, Index outputs)
      : first(at < window ? 0 : (at - window) / stride + 1), last(at / stride < outputs ? at / stride : outputs - 1) {}
};

/// Gathers: an input pixel sums the outputs that it made. Of equal maxima the first in row-major order made it.
template <class T>
struct MaxPoolGradient {
  View<const T> x, y, dy;
  Index window, stride;
  View<T> dx;

  NUCDET_HD bool made(const Tile& t, Index row, Index column, Index i, Index j, Index c) const {
    const T value = x(t.n, row, column, c);
    if (value != y(t.n, i, j, c)) return false;
    for (Index r = i * stride; r <= row; ++r)
      for (Index q = j * stride; q < j * stride + window; ++q) {
        if (r == row && q == column) return true;
        if (x(t.n, r, q, c) == value) return false;
      }
    return true;
  }
  NUCDET_HD void operator()(const Tile& t) const {
    const Readers rows(t.y, window, stride, y.shape.h);
    for (Index column = t.x0; column < t.x1; ++column) {
      const Readers columns(column, window, stride, y.shape.w);
      for (Index c = t.c0; c < t.c1; ++c) {
        T sum = 0;
        for (Index i = rows.first; i <= rows.last; ++i)
          for (Index j = columns.first; j <= columns.last; ++j)
            if (made(t, t.y, column, i, j, c)) sum += dy(t.n, i, j, c);
        dx(t.n, t.y, column, c) = sum;
      }
    }
  }
};

template <class T>
struct AveragePoolGradient {
  View<const T> dy;
  Index window, stride;
  View<T> dx;

  NUCDET_HD void operator()(const Tile& t) const {
    const T share = T(1) / static_cast<T>(window * window);
    const Readers rows(t.y, window, stride, dy.shape.h);
    for (Index column = t.x0; column < t.x1; ++column) {
      const Readers columns(column, window, stride, dy.shape.w);
      T* const out = dx.pixel(t.n, t.y, column);
      for (Index c = t.c0; c < t.c1; ++c) out[c] = T(0);
      for (Index i = rows.first; i <= rows.last; ++i)
        for (Index j = columns.first; j <= columns.last; ++j) {
          const T* const g = dy.pixel(t.n, i, j);
          for (Index c = t.c0; c < t.c1; ++c) out[c] += share * g[c];
        }
    }
  }
};

inline void check_pool(const char* op, const Shape& x, const Shape& y, Index window, Index stride) {
  if (window < 1 || stride < 1)
    throw ArgumentError(message(op, ": window ", window, ", stride ", stride, ", both must be >= 1"));
  const Shape wanted{x.n, (x.h - window) / stride + 1, (x.w - window) / stride + 1, x.c};
  if (x.h < window || x.w < window || y != wanted)
    throw ShapeError(message(op, ": input ", x, " with window ", window, ", stride ", stride, " and output ", y));
}

}  // namespace detail

/// y = maximum of each window. NaN in a window gives NaN.
template <class T, class D>
void max_pool(Context<D>& context, View<const std::type_identity_t<T>> x, Index window, Index stride,
              View<std::type_identity_t<T>> y) {
  detail::check_pool("max_pool", x.shape, y.shape, window, stride);
  parallel_for(context, y.shape, detail::Pool<T, true>{x, window, stride, y});
}
/// From x and y of the forward pass.
template <class T, class D>
void max_pool_gradient(Context<D>& context, View<const std::type_identity_t<T>> x,
                       View<const std::type_identity_t<T>> y, View<const std::type_identity_t<T>> dy, Index window,
                       Index stride, View<std::type_identity_t<T>> dx) {
  detail::check_pool("max_pool_gradient", x.shape, y.shape, window, stride);
  if (dy.shape != y.shape || dx.shape != x.shape)
    throw ShapeError(message("max_pool_gradient: dy ", dy.shape, ", dx ", dx.shape));
  parallel_for(context, dx.shape, detail::MaxPoolGradient<T>{x, y, dy, window, stride, dx});
}

/// y = mean of each window.
template <class T, class D>
void average_pool(Context<D>& context, View<const std::type_identity_t<T>> x, Index window, Index stride,
                  View<std::type_identity_t<T>> y) {
  detail::check_pool("average_pool", x.shape, y.shape, window, stride);
  parallel_for(context, y.shape, detail::Pool<T, false>{x, window, stride, y});
}
template <class T, class D>
void average_pool_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, Index window, Index stride,
                           View<std::type_identity_t<T>> dx) {
  detail::check_pool("average_pool_gradient", dx.shape, dy.shape, window, stride);
  parallel_for(context, dx.shape, detail::AveragePoolGradient<T>{dy, window, stride, dx});
}

}  // namespace nucdet::ops
