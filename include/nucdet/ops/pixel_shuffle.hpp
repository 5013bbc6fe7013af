#pragma once
#include <type_traits>

#include "nucdet/core/half.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::ops {

namespace detail {

/// Up: the large side takes from the small one; else the other way.
template <class T, bool Up>
struct Shuffle {
  View<const T> x;
  Index factor;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index f = factor, parts = f * f;
    for (Index i = t.x0; i < t.x1; ++i)
      for (Index c = t.c0; c < t.c1; ++c)
        y(t.n, t.y, i, c) = Up ? x(t.n, t.y / f, i / f, c * parts + t.y % f * f + i % f)
                               : x(t.n, t.y * f + c % parts / f, i * f + c % f, c / parts);
  }
};

inline void check_shuffle(const char* op, const Shape& small, Index factor, const Shape& large) {
  if (factor < 1) throw ArgumentError(message(op, ": factor is ", factor, ", must be >= 1"));
  if (small != Shape{large.n, large.h / factor, large.w / factor, large.c * factor * factor} || large.h % factor != 0 ||
      large.w % factor != 0)
    throw ShapeError(message(op, ": ", small, " by ", factor, " is not ", large));
}

}  // namespace detail

/// y(factor h + i, factor w + j, c) = x(h, w, factor^2 c + factor i + j): channels become pixels [Shi et al. 2016], in
/// PyTorch's order.
template <class T, class D>
void pixel_shuffle(Context<D>& context, View<const std::type_identity_t<T>> x, Index factor,
                   View<std::type_identity_t<T>> y) {
  detail::check_shuffle("pixel_shuffle", x.shape, factor, y.shape);
  exec::parallel_for(context, y.shape, detail::Shuffle<T, true>{x, factor, y});
}
/// Its inverse, and its gradient.
template <class T, class D>
void pixel_unshuffle(Context<D>& context, View<const std::type_identity_t<T>> x, Index factor,
                     View<std::type_identity_t<T>> y) {
  detail::check_shuffle("pixel_unshuffle", y.shape, factor, x.shape);
  exec::parallel_for(context, y.shape, detail::Shuffle<T, false>{x, factor, y});
}

}  // namespace nucdet::ops
