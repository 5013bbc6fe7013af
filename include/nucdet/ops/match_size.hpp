#pragma once
#include <type_traits>

#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/ops/add.hpp"

namespace nucdet::ops {

/// Rows (or columns) put before a map of size `from` to centre it in `to`; negative: cut off.
NUCDET_HD constexpr Index rows_before(Index from, Index to) {
  return to >= from ? (to - from) / 2 : -((from - to) / 2);
}

namespace detail {

template <class T>
struct MatchSize {
  View<const T> x;
  View<T> y;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index row = t.y - rows_before(x.shape.h, y.shape.h), shift = rows_before(x.shape.w, y.shape.w);
    const bool inside = row >= 0 && row < x.shape.h;
    for (Index i = t.x0; i < t.x1; ++i) {
      const Index column = i - shift;
      T* const to = y.pixel(t.n, t.y, i);
      if (inside && column >= 0 && column < x.shape.w) {
        const T* const from = x.pixel(t.n, row, column);
        for (Index c = t.c0; c < t.c1; ++c) to[c] = from[c];
      } else {
        for (Index c = t.c0; c < t.c1; ++c) to[c] = static_cast<T>(0.0f);
      }
    }
  }
};

}  // namespace detail

/// Brings x to y's height and width, centred: zeros around it or rows and columns cut off, floor(difference / 2) before
/// and the rest after, each axis by itself [Xing 2019: the up-sampled map is padded to the encoder's]. Its gradient is
/// the same op with the roles swapped.
template <class T, class D>
void match_size(Context<D>& context, View<const std::type_identity_t<T>> x, View<std::type_identity_t<T>> y) {
  if (x.shape.n != y.shape.n || x.shape.c != y.shape.c)
    throw ShapeError(
        message("match_size: input is ", x.shape, ", the output is ", y.shape, "; images and channels differ"));
  if (x.shape == y.shape) return copy<T>(context, x, y);
  exec::parallel_for(context, y.shape, detail::MatchSize<T>{x, y});
}

}  // namespace nucdet::ops
