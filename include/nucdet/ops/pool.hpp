#pragma once
#include <type_traits>

#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/gather.hpp"

/// Pooling over windows; the output has floor((size - window) / stride) + 1 pixels.
namespace nucdet::ops {

namespace detail {

template <class T, bool Maximum>
struct Pool {
  View<const T> x;
  Axes window, stride;
  View<T> y;
  using C = compute_t<T>;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      T* const out = y.pixel(t.n, t.y, i);
      const auto source = [&](Index k) {
        return x.pixel(t.n, t.y * stride.y + k / window.x, i * stride.x + k % window.x);
      };
      if constexpr (Maximum)
        maximum(out, t.c0, t.c1, source);
      else
        gather_channels(out, t.c0, t.c1, [&](const auto& add) {
          const C share = C(1) / static_cast<C>(window.count());
          for (Index k = 0; k < window.count(); ++k) add(share, source(k));
        });
    }
  }

 private:
  template <class Source>
  NUCDET_HD void maximum(T* out, Index c0, Index c1, const Source& source) const {
    for (Index k = 0; k < window.count(); ++k) {
      const T* const p = source(k);
      for (Index c = c0; c < c1; ++c) {
        const C v = static_cast<C>(p[c]);
        out[c] = k == 0 || v > static_cast<C>(out[c]) || v != v ? p[c] : out[c];  // always a store: vectors
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
  Axes window, stride;
  View<T> dx;

  NUCDET_HD bool made(const exec::Tile& t, Index row, Index column, Index i, Index j, Index c) const {
    using C = compute_t<T>;
    const C value = static_cast<C>(x(t.n, row, column, c));
    if (value != static_cast<C>(y(t.n, i, j, c))) return false;
    for (Index r = i * stride.y; r <= row; ++r)
      for (Index q = j * stride.x; q < j * stride.x + window.x; ++q) {
        if (r == row && q == column) return true;
        if (static_cast<C>(x(t.n, r, q, c)) == value) return false;
      }
    return true;
  }
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Readers rows(t.y, window.y, stride.y, y.shape.h);
    for (Index column = t.x0; column < t.x1; ++column) {
      const Readers columns(column, window.x, stride.x, y.shape.w);
      for (Index c = t.c0; c < t.c1; ++c) {
        compute_t<T> sum = 0;
        for (Index i = rows.first; i <= rows.last; ++i)
          for (Index j = columns.first; j <= columns.last; ++j)
            if (made(t, t.y, column, i, j, c)) sum += static_cast<compute_t<T>>(dy(t.n, i, j, c));
        dx(t.n, t.y, column, c) = static_cast<T>(sum);
      }
    }
  }
};

template <class T>
struct AveragePoolGradient {
  View<const T> dy;
  Axes window, stride;
  View<T> dx;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    const C share = C(1) / static_cast<C>(window.count());
    const Readers rows(t.y, window.y, stride.y, dy.shape.h);
    for (Index column = t.x0; column < t.x1; ++column) {
      const Readers columns(column, window.x, stride.x, dy.shape.w);
      gather_channels(dx.pixel(t.n, t.y, column), t.c0, t.c1, [&](const auto& add) {
        for (Index i = rows.first; i <= rows.last; ++i)
          for (Index j = columns.first; j <= columns.last; ++j) add(share, dy.pixel(t.n, i, j));
      });
    }
  }
};

inline void check_pool(const char* op, const Shape& x, const Shape& y, const Axes& window, const Axes& stride) {
  if (window.y < 1 || window.x < 1 || stride.y < 1 || stride.x < 1)
    throw ArgumentError(message(op, ": window ", window, ", stride ", stride, ", both must be >= 1"));
  const Shape wanted{x.n, (x.h - window.y) / stride.y + 1, (x.w - window.x) / stride.x + 1, x.c};
  if (x.h < window.y || x.w < window.x || y != wanted)
    throw ShapeError(message(op, ": input ", x, " with window ", window, ", stride ", stride, " and output ", y));
}

}  // namespace detail

/// y = maximum of each window. NaN in a window gives NaN.
template <class T, class D>
void max_pool(Context<D>& context, View<const std::type_identity_t<T>> x, Axes window, Axes stride,
              View<std::type_identity_t<T>> y) {
  detail::check_pool("max_pool", x.shape, y.shape, window, stride);
  exec::parallel_for(context, y.shape, detail::Pool<T, true>{x, window, stride, y});
}
/// From x and y of the forward pass.
template <class T, class D>
void max_pool_gradient(Context<D>& context, View<const std::type_identity_t<T>> x,
                       View<const std::type_identity_t<T>> y, View<const std::type_identity_t<T>> dy, Axes window,
                       Axes stride, View<std::type_identity_t<T>> dx) {
  detail::check_pool("max_pool_gradient", x.shape, y.shape, window, stride);
  if (dy.shape != y.shape || dx.shape != x.shape)
    throw ShapeError(message("max_pool_gradient: dy ", dy.shape, ", dx ", dx.shape));
  exec::parallel_for(context, dx.shape, detail::MaxPoolGradient<T>{x, y, dy, window, stride, dx});
}

/// y = mean of each window.
template <class T, class D>
void average_pool(Context<D>& context, View<const std::type_identity_t<T>> x, Axes window, Axes stride,
                  View<std::type_identity_t<T>> y) {
  detail::check_pool("average_pool", x.shape, y.shape, window, stride);
  exec::parallel_for(context, y.shape, detail::Pool<T, false>{x, window, stride, y});
}
template <class T, class D>
void average_pool_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, Axes window, Axes stride,
                           View<std::type_identity_t<T>> dx) {
  detail::check_pool("average_pool_gradient", dx.shape, dy.shape, window, stride);
  exec::parallel_for(context, dx.shape, detail::AveragePoolGradient<T>{dy, window, stride, dx});
}

}  // namespace nucdet::ops
