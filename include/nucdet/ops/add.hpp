#pragma once
#include <span>
#include <type_traits>

#include "nucdet/exec/rows.hpp"
#include "nucdet/ops/activation_functors.hpp"

/// Copies and sums of views of one shape.
namespace nucdet::ops {

namespace detail {

template <class T>
struct Copy {
  NUCDET_HD void operator()(const T* x, T* y, Index count) const {
    for (Index i = 0; i < count; ++i) y[i] = x[i];
  }
};
template <class T>
struct Accumulate {
  static constexpr bool reads_output = true;
  NUCDET_HD void operator()(const T* x, T* y, Index count) const {
    using C = compute_t<T>;
    for (Index i = 0; i < count; ++i) y[i] = static_cast<T>(static_cast<C>(y[i]) + static_cast<C>(x[i]));
  }
};
template <class T, class F = Same>
struct Sum {
  F f;
  NUCDET_HD void operator()(const T* a, const T* b, T* y, Index count) const {
    using C = compute_t<T>;
    const F function = f;
    for (Index i = 0; i < count; ++i) y[i] = static_cast<T>(function(static_cast<C>(a[i]) + static_cast<C>(b[i])));
  }
};
template <class T>
struct Fill {
  T value;
  NUCDET_HD void operator()(T* y, Index count) const {
    for (Index i = 0; i < count; ++i) y[i] = value;
  }
};

}  // namespace detail

/// y = x
template <class T, class D>
void copy(Context<D>& context, View<const std::type_identity_t<T>> x, View<std::type_identity_t<T>> y) {
  exec::for_runs<T>("copy", context, detail::Copy<T>{}, y, x);
}

/// y += x
template <class T, class D>
void accumulate(Context<D>& context, View<const std::type_identity_t<T>> x, View<std::type_identity_t<T>> y) {
  exec::for_runs<T>("accumulate", context, detail::Accumulate<T>{}, y, x);
}

/// y = value
template <class T, class D>
void fill(Context<D>& context, T value, View<std::type_identity_t<T>> y) {
  exec::for_runs<T>("fill", context, detail::Fill<T>{value}, y);
}

/// y = f(a + b), with an activation f.
template <class T, class D, class F>
void add_activate(Context<D>& context, const F& f, View<const std::type_identity_t<T>> a,
                  View<const std::type_identity_t<T>> b, View<std::type_identity_t<T>> y) {
  exec::for_runs<T>("add_activate", context, detail::Sum<T, F>{f}, y, a, b);
}

/// y = xs[0] + xs[1] + ..., in this order; y may be the memory of one of these two. Throws ShapeError for no inputs or
/// other shapes.
template <class T, class D>
void add(Context<D>& context, std::span<const View<const T>> xs, View<std::type_identity_t<T>> y) {
  if (xs.empty()) throw ShapeError("add: no inputs, wanted at least one");
  if (xs.size() == 1) return copy<T>(context, xs[0], y);
  const auto is_y = [&](const View<const T>& x) {
    return x.data == y.data && x.shape == y.shape && x.image_stride == y.image_stride && x.row_stride == y.row_stride &&
           x.pixel_stride == y.pixel_stride;
  };
  if (is_y(xs[0]) || is_y(xs[1]))
    accumulate<T>(context, xs[is_y(xs[0]) ? 1 : 0], y);
  else
    exec::for_runs<T>("add", context, detail::Sum<T>{{}}, y, xs[0], xs[1]);
  for (std::size_t i = 2; i < xs.size(); ++i) accumulate<T>(context, xs[i], y);
}

}  // namespace nucdet::ops
