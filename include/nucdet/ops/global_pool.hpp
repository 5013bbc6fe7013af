#pragma once
#include <cstddef>
#include <type_traits>

#include "nucdet/exec/reduce.hpp"
#include "nucdet/ops/bias_gradient.hpp"
#include "nucdet/ops/multiply.hpp"

/// Pooling over all pixels: [N, H, W, C] -> [N, 1, 1, C].
namespace nucdet::ops {

namespace detail {

/// The maxima of a row, or of a column of them: y(n, r, 0, c) = maximum over i of x(n, r, i, c) and, with Rows, over r
/// too. NaN stays NaN.
template <class T, bool Rows>
struct LineMaxima {
  View<const T> x;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    T* const out = y.pixel(t.n, t.y, 0);
    const Index count = Rows ? x.shape.h : x.shape.w;
    for (Index i = 0; i < count; ++i) {
      const T* const p = Rows ? x.pixel(t.n, i, 0) : x.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) {
        const C v = static_cast<C>(p[c]);
        out[c] = i == 0 || v > static_cast<C>(out[c]) || v != v ? p[c] : out[c];
      }
    }
  }
};

/// The first pixel, in row-major order, that holds the maximum of its channel; -1 where there is none (NaN).
template <class T>
struct FirstMaxima {
  View<const T> x, y;
  Index* first;  // [n x c]
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    Index* const at = first + t.n * x.shape.c;
    for (Index c = t.c0; c < t.c1; ++c) at[c] = -1;
    for (Index r = x.shape.h - 1; r >= 0; --r)
      for (Index i = x.shape.w - 1; i >= 0; --i)
        for (Index c = t.c0; c < t.c1; ++c)
          if (static_cast<C>(x(t.n, r, i, c)) == static_cast<C>(y(t.n, 0, 0, c))) at[c] = r * x.shape.w + i;
  }
};
template <class T>
struct GlobalMaxGradient {
  View<const T> dy;
  const Index* first;
  View<T> dx;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index* const at = first + t.n * dx.shape.c;
    for (Index i = t.x0; i < t.x1; ++i)
      for (Index c = t.c0; c < t.c1; ++c)
        dx(t.n, t.y, i, c) = at[c] == t.y * dx.shape.w + i ? dy(t.n, 0, 0, c) : static_cast<T>(0.0f);
  }
};
template <class T>
struct GlobalMeanGradient {
  View<const T> dy;
  compute_t<T> share;
  View<T> dx;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const T* const d = dy.pixel(t.n, 0, 0);
    for (Index i = t.x0; i < t.x1; ++i) {
      T* const q = dx.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = static_cast<T>(share * static_cast<compute_t<T>>(d[c]));
    }
  }
};

inline void check_global(const char* op, const Shape& x, const Shape& y) {
  if (x.h < 1 || x.w < 1 || y != Shape{x.n, 1, 1, x.c})
    throw ShapeError(message(op, ": input is ", x, ", the output is ", y));
}

}  // namespace detail

/// y = mean over all pixels of an image.
template <class T, class D>
void global_average(Context<D>& context, View<const std::type_identity_t<T>> x, View<std::type_identity_t<T>> y) {
  detail::check_global("global_average", x.shape, y.shape);
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(x.shape.n * x.shape.c));
  exec::reduce_columns<compute_t<T>, 1>(context, x.shape, x.shape.n, detail::SumChannels<T>{x}, sums.data());
  const double share = 1.0 / static_cast<double>(x.shape.h * x.shape.w);
  exec::parallel_for(context, y.shape, detail::StoreSums<T>{sums.data(), x.shape.c, share, y});
}
template <class T, class D>
void global_average_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy,
                             View<std::type_identity_t<T>> dx) {
  detail::check_global("global_average_gradient", dx.shape, dy.shape);
  const auto share = static_cast<compute_t<T>>(1.0 / static_cast<double>(dx.shape.h * dx.shape.w));
  exec::parallel_for(context, dx.shape, detail::GlobalMeanGradient<T>{dy, share, dx});
}

/// y = maximum over all pixels of an image.
template <class T, class D>
void global_maximum(Context<D>& context, View<const std::type_identity_t<T>> x, View<std::type_identity_t<T>> y) {
  detail::check_global("global_maximum", x.shape, y.shape);
  Tensor<D> rows = context.make({x.shape.n, x.shape.h, 1, x.shape.c}, dtype_of<T>);
  exec::parallel_for(context, rows.shape(), detail::LineMaxima<T, false>{x, rows.template view<T>()});
  exec::parallel_for(context, y.shape, detail::LineMaxima<T, true>{std::as_const(rows).template view<const T>(), y});
}
/// From x and y of the forward pass; of equal maxima the first in row-major order made it.
template <class T, class D>
void global_maximum_gradient(Context<D>& context, View<const std::type_identity_t<T>> x,
                             View<const std::type_identity_t<T>> y, View<const std::type_identity_t<T>> dy,
                             View<std::type_identity_t<T>> dx) {
  detail::check_global("global_maximum_gradient", x.shape, y.shape);
  if (dy.shape != y.shape || dx.shape != x.shape)
    throw ShapeError(message("global_maximum_gradient: dy ", dy.shape, ", dx ", dx.shape));
  const DeviceArray<Index, D> first(context, static_cast<std::size_t>(x.shape.n * x.shape.c));
  exec::parallel_for(context, y.shape, detail::FirstMaxima<T>{x, y, first.data()});
  exec::parallel_for(context, dx.shape, detail::GlobalMaxGradient<T>{dy, first.data(), dx});
}

}  // namespace nucdet::ops
