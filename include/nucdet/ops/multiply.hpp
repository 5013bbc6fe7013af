#pragma once
#include <cstddef>
#include <type_traits>

#include "nucdet/exec/reduce.hpp"

/// Products of a map with a gate: a map of its shape, of one channel, of one pixel, or of both.
namespace nucdet::ops {

namespace detail {

template <class T>
struct Product {
  View<const T> a, b;  // b: one channel or those of a
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    const bool one = b.shape.c == 1;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T *const p = a.pixel(t.n, t.y, i), *const g = b.pixel(t.n, t.y, i);
      T* const q = y.pixel(t.n, t.y, i);
      if (one) {
        const C factor = static_cast<C>(g[0]);
        for (Index c = t.c0; c < t.c1; ++c) q[c] = static_cast<T>(static_cast<C>(p[c]) * factor);
      } else {
        for (Index c = t.c0; c < t.c1; ++c) q[c] = static_cast<T>(static_cast<C>(p[c]) * static_cast<C>(g[c]));
      }
    }
  }
};

/// Terms of the gradient of a gate of one pixel.
template <class T>
struct ProductSums {
  View<const T> a, dy;
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<compute_t<T>>& sums) const {
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T *const p = a.pixel(t.n, t.y, i), *const d = dy.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) sums(0, c) += static_cast<C>(p[c]) * static_cast<C>(d[c]);
    }
  }
};
/// Those sums to a map of one pixel, and to one channel where it has no more.
template <class T>
struct StoreSums {
  const double* sums;
  Index channels;
  double factor;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c) {
      double sum = sums[t.n * channels + c];
      if (y.shape.c == 1)
        for (Index k = 1; k < channels; ++k) sum += sums[t.n * channels + k];
      y(t.n, 0, 0, c) = static_cast<T>(static_cast<compute_t<T>>(factor * sum));
    }
  }
};
/// The gradient of a gate of one channel: a sum for each pixel.
template <class T>
struct PixelProducts {
  View<const T> a, dy;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T *const p = a.pixel(t.n, t.y, i), *const d = dy.pixel(t.n, t.y, i);
      C sum = 0;
      for (Index c = 0; c < a.shape.c; ++c) sum += static_cast<C>(p[c]) * static_cast<C>(d[c]);
      y(t.n, t.y, i, 0) = static_cast<T>(sum);
    }
  }
};

/// A map of one pixel as one of h x w: the strides are 0.
template <class T>
View<const T> spread(View<const T> x, Index h, Index w) {
  if (x.shape.h == h && x.shape.w == w) return x;
  return {x.data, {x.shape.n, h, w, x.shape.c}, x.image_stride, 0, 0};
}
inline void check_gate(const char* op, const Shape& a, const Shape& gate) {
  const bool pixels = (gate.h == a.h && gate.w == a.w) || (gate.h == 1 && gate.w == 1);
  if (gate.n != a.n || !pixels || (gate.c != a.c && gate.c != 1))
    throw ShapeError(message(op, ": input 0 is ", a, " but input 1 is ", gate));
}

}  // namespace detail

/// y = a gate, with the gate's one channel or one pixel taken for all.
template <class T, class D>
void multiply(Context<D>& context, View<const std::type_identity_t<T>> a, View<const std::type_identity_t<T>> gate,
              View<std::type_identity_t<T>> y) {
  detail::check_gate("multiply", a.shape, gate.shape);
  if (y.shape != a.shape) throw ShapeError(message("multiply: input is ", a.shape, ", the output is ", y.shape));
  exec::parallel_for(context, y.shape, detail::Product<T>{a, detail::spread<T>(gate, a.shape.h, a.shape.w), y});
}

/// The gradient of the gate: dy a, summed over what the gate's numbers were taken for. (That of a is dy gate.)
template <class T, class D>
void multiply_gate_gradient(Context<D>& context, View<const std::type_identity_t<T>> a,
                            View<const std::type_identity_t<T>> dy, View<std::type_identity_t<T>> dgate) {
  const Shape &s = a.shape, &g = dgate.shape;
  detail::check_gate("multiply_gate_gradient", s, g);
  if (dy.shape != s) throw ShapeError(message("multiply_gate_gradient: input is ", s, ", dy is ", dy.shape));
  if (s == g) return exec::parallel_for(context, g, detail::Product<T>{a, dy, dgate});
  if (g.h == s.h && g.w == s.w) return exec::parallel_for(context, g, detail::PixelProducts<T>{a, dy, dgate});
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(s.n * s.c));
  exec::reduce_columns<compute_t<T>, 1>(context, s, s.n, detail::ProductSums<T>{a, dy}, sums.data());
  exec::parallel_for(context, g, detail::StoreSums<T>{sums.data(), s.c, 1.0, dgate});
}

}  // namespace nucdet::ops
