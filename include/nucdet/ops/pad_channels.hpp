#pragma once
#include "nucdet/core/half.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::ops {

namespace detail {

template <class T>
struct PadChannels {
  View<const T> x;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i)
      for (Index c = t.c0; c < t.c1; ++c)
        y(t.n, t.y, i, c) = t.n < x.shape.n && c < x.shape.c ? x(t.n, t.y, i, c) : static_cast<T>(0.0f);
  }
};

template <class From, class To>
struct AddCropped {
  View<const From> x;
  View<To> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i)
      for (Index c = t.c0; c < t.c1; ++c) y(t.n, t.y, i, c) += static_cast<To>(static_cast<float>(x(t.n, t.y, i, c)));
  }
};

}  // namespace detail

/// y = x with zeros in the images and channels that x has not: some engines want channels in eights. (Weights are
/// views too: [outputs, kernel, kernel, inputs].)
template <class T, class D>
void pad_channels(Context<D>& context, View<const T> x, View<T> y) {
  if (x.shape.h != y.shape.h || x.shape.w != y.shape.w || x.shape.n > y.shape.n || x.shape.c > y.shape.c)
    throw ShapeError(message("pad_channels: input is ", x.shape, ", the output is ", y.shape));
  exec::parallel_for(context, y.shape, detail::PadChannels<T>{x, y});
}

/// y += x, of which the images and channels beyond y's are left out.
template <class From, class To, class D>
void add_cropped(Context<D>& context, View<const From> x, View<To> y) {
  if (x.shape.h != y.shape.h || x.shape.w != y.shape.w || x.shape.n < y.shape.n || x.shape.c < y.shape.c)
    throw ShapeError(message("add_cropped: input is ", x.shape, ", the output is ", y.shape));
  exec::parallel_for(context, y.shape, detail::AddCropped<From, To>{x, y});
}

}  // namespace nucdet::ops
