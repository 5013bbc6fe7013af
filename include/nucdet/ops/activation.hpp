#pragma once
#include <type_traits>

#include "nucdet/exec/rows.hpp"
#include "nucdet/ops/activation_functors.hpp"

namespace nucdet::ops {

namespace detail {

template <class T, class F>
struct Activate {
  F f;
  NUCDET_HD void operator()(const T* x, T* y, Index count) const {
    const F function = f;  // a copy that y cannot alias
    for (Index i = 0; i < count; ++i) y[i] = static_cast<T>(function(static_cast<compute_t<T>>(x[i])));
  }
};
template <class T, class F>
struct ActivateGradient {
  F f;
  NUCDET_HD void operator()(const T* saved, const T* dy, T* dx, Index count) const {
    const F function = f;
    using C = compute_t<T>;
    for (Index i = 0; i < count; ++i) {
      const C v = static_cast<C>(saved[i]), d = static_cast<C>(dy[i]);
      if constexpr (SlopeOfInput<F>)
        dx[i] = static_cast<T>(function.slope_at(v) * d);
      else
        dx[i] = static_cast<T>(function.slope(v) * d);
    }
  }
};

}  // namespace detail

/// y = f(x), element by element; x and y may be the same memory.
template <class T, class F, class D>
void activate(Context<D>& context, const F& f, View<const std::type_identity_t<T>> x, View<std::type_identity_t<T>> y) {
  exec::for_runs<T>("activate", context, detail::Activate<T, F>{f}, y, x);
}

/// dx = f'(x) dy. saved: of the forward pass the input, if F is a SlopeOfInput, else the output; dx and dy may be the
/// same memory.
template <class T, class F, class D>
void activate_gradient(Context<D>& context, const F& f, View<const std::type_identity_t<T>> saved,
                       View<const std::type_identity_t<T>> dy, View<std::type_identity_t<T>> dx) {
  exec::for_runs<T>("activate_gradient", context, detail::ActivateGradient<T, F>{f}, dx, saved, dy);
}

}  // namespace nucdet::ops
