#pragma once
#include <cstddef>
#include <type_traits>

#include "nucdet/exec/reduce.hpp"

namespace nucdet::ops {

namespace detail {

/// Sums of x over pixels, one a channel.
template <class T>
struct SumChannels {
  View<const T> x;
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<compute_t<T>>& sums) const {
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) sums(0, c) += static_cast<C>(p[c]);
    }
  }
};

/// out += sums, for each channel.
template <class C>
struct AddSums {
  const double* sums;
  C* out;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c) out[c] += static_cast<C>(sums[c]);
  }
};

}  // namespace detail

/// dbias += sum of dy over images and pixels.
template <class T, class D>
void bias_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, compute_t<T>* dbias) {
  using C = compute_t<T>;
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(dy.shape.c));
  exec::reduce_columns<C, 1>(context, dy.shape, 1, detail::SumChannels<T>{dy}, sums.data());
  exec::parallel_for(context, {1, 1, 1, dy.shape.c}, detail::AddSums<C>{sums.data(), dbias});
}

}  // namespace nucdet::ops
