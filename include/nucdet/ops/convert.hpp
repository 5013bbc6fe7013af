#pragma once
#include "nucdet/core/half.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::ops {

namespace detail {

template <class From, class To>
struct Convert {
  View<const From> x;
  View<To> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const From* const p = x.pixel(t.n, t.y, i);
      To* const q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = static_cast<To>(static_cast<float>(p[c]));
    }
  }
};

}  // namespace detail

/// y = x in another element type, rounded to nearest even.
template <class From, class To, class D>
void convert(Context<D>& context, View<const From> x, View<To> y) {
  if (x.shape != y.shape) throw ShapeError(message("convert: input is ", x.shape, ", the output is ", y.shape));
  exec::parallel_for(context, y.shape, detail::Convert<From, To>{x, y});
}

}  // namespace nucdet::ops
