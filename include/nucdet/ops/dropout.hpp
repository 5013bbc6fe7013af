#pragma once
#include <type_traits>

#include "nucdet/core/half.hpp"
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
  const std::uint64_t* offset;  // added to the stream, unless null

  NUCDET_HD void operator()(const Tile& t) const {
    using C = compute_t<T>;
    const Philox numbers{random.seed, random.stream + (offset != nullptr ? *offset : 0)};
    const C scale = C(1) / (C(1) - static_cast<C>(rate));
    for (Index c = t.c0; c < t.c1; ++c) {
      const bool keep = numbers.uniform(static_cast<std::uint64_t>(t.n * x.shape.c + c)) >= rate;
      for (Index i = t.x0; i < t.x1; ++i)
        y(t.n, t.y, i, c) = keep ? static_cast<T>(scale * static_cast<C>(x(t.n, t.y, i, c))) : T(0.0f);
    }
  }
};

}  // namespace detail

/// Zeroes whole channels of an image and scales the others by 1 / (1 - rate) [Tompson et al. 2015]: channel c of image
/// n stays iff random.uniform(n channels + c) >= rate. With the same `random` it is its own gradient.
/// offset: a number in the device's memory that is added to the stream, so that a captured graph can draw anew.
template <class T, class D>
void channel_dropout(Context<D>& context, View<const std::type_identity_t<T>> x, float rate, Philox random,
                     View<std::type_identity_t<T>> y, const std::uint64_t* offset = nullptr) {
  if (x.shape != y.shape) throw ShapeError(message("channel_dropout: input is ", x.shape, ", the output is ", y.shape));
  if (!(rate >= 0 && rate < 1)) throw ArgumentError(message("channel_dropout: rate is ", rate, ", must be in [0, 1)"));
  parallel_for(context, y.shape, detail::ChannelDropout<T>{x, y, rate, random, offset});
}

}  // namespace nucdet::ops
