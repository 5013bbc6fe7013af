#pragma once
#include <type_traits>

#include "nucdet/core/rng.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::ops {

namespace detail {

template <class T>
struct ChannelDropout {
  View<const T> x;
  View<T> y;
  float rate;
  Philox random;

  NUCDET_HD void operator()(const Tile& t) const {
    const T scale = T(1) / (T(1) - static_cast<T>(rate));
    for (Index c = t.c0; c < t.c1; ++c) {
      const bool keep = random.uniform(static_cast<std::uint64_t>(t.n * x.shape.c + c)) >= rate;
      for (Index i = t.x0; i < t.x1; ++i) y(t.n, t.y, i, c) = keep ? scale * x(t.n, t.y, i, c) : T(0);
    }
  }
};

}  // namespace detail

/// Zeroes whole channels of an image and scales the others by 1 / (1 - rate) [Tompson et al. 2015]: channel c of image
/// n stays iff random.uniform(n channels + c) >= rate. With the same `random` it is its own gradient.
template <class T, class D>
void channel_dropout(Context<D>& context, View<const std::type_identity_t<T>> x, float rate, Philox random,
                     View<std::type_identity_t<T>> y) {
  if (x.shape != y.shape) throw ShapeError(message("channel_dropout: input is ", x.shape, ", the output is ", y.shape));
  if (!(rate >= 0 && rate < 1)) throw ArgumentError(message("channel_dropout: rate is ", rate, ", must be in [0, 1)"));
  parallel_for(context, y.shape, detail::ChannelDropout<T>{x, y, rate, random});
}

}  // namespace nucdet::ops
