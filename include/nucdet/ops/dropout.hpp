#pragma once
#include <type_traits>

#include "nucdet/core/half.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/exec/rows.hpp"

namespace nucdet::ops {

namespace detail {

/// What each channel of each image is multiplied by: 0 or 1 / (1 - rate).
template <class C>
struct DrawFactors {
  float rate;
  Philox random;
  const std::uint64_t* offset;  // added to the stream, unless null
  Index first;                  // the number of factors[0]
  C* factors;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Philox numbers{random.seed, random.stream + (offset != nullptr ? *offset : 0)};
    const C scale = C(1) / (C(1) - static_cast<C>(rate));
    for (Index i = t.c0; i < t.c1; ++i)
      factors[i] = numbers.uniform(static_cast<std::uint64_t>(first + i)) >= rate ? scale : C(0);
  }
};

template <class T>
struct ScaleChannels {
  static constexpr bool knows_place = true;
  const compute_t<T>* factors;
  Index channels;
  NUCDET_HD void operator()(const exec::RunPlace& at, const T* x, T* y, Index count) const {
    using C = compute_t<T>;
    const C* const f = factors + at.n * channels + at.c;
    for (Index i = 0; i < count; ++i) {
      const C product = f[i] * static_cast<C>(x[i]);
      y[i] = static_cast<T>(f[i] == C(0) ? C(0) : product);  // also where x is not finite
    }
  }
};

template <class T>
struct DropElements {
  View<const T> x;
  float rate;
  Philox random;
  const std::uint64_t* offset;  // added to the stream, unless null
  Index images;                 // before x's
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    using C = compute_t<T>;
    const Philox numbers{random.seed, random.stream + (offset != nullptr ? *offset : 0)};
    const C scale = C(1) / (C(1) - static_cast<C>(rate));
    for (Index i = t.x0; i < t.x1; ++i) {
      const Index first = (((images + t.n) * x.shape.h + t.y) * x.shape.w + i) * x.shape.c;
      for (Index c = t.c0; c < t.c1; ++c) {
        const bool stays = numbers.uniform(static_cast<std::uint64_t>(first + c)) >= rate;
        y(t.n, t.y, i, c) = static_cast<T>(stays ? scale * static_cast<C>(x(t.n, t.y, i, c)) : C(0));
      }
    }
  }
};

}  // namespace detail

/// Zeroes elements and scales the others by 1 / (1 - rate) [Srivastava et al. 2014]: element k, in NHWC order, stays
/// iff random.uniform(k) >= rate. With the same `random` it is its own gradient. offset, images: as for
/// channel_dropout.
template <class T, class D>
void dropout(Context<D>& context, View<const std::type_identity_t<T>> x, float rate, Philox random,
             View<std::type_identity_t<T>> y, const std::uint64_t* offset = nullptr, Index images = 0) {
  if (x.shape != y.shape) throw ShapeError(message("dropout: input is ", x.shape, ", the output is ", y.shape));
  if (!(rate >= 0 && rate < 1)) throw ArgumentError(message("dropout: rate is ", rate, ", must be in [0, 1)"));
  exec::parallel_for(context, y.shape, detail::DropElements<T>{x, rate, random, offset, images, y});
}

/// Zeroes whole channels of an image and scales the others by 1 / (1 - rate) [Tompson et al. 2015]: channel c of image
/// n stays iff random.uniform(n channels + c) >= rate. With the same `random` it is its own gradient.
/// offset: a number in the device's memory that is added to the stream, so that a captured graph can draw anew.
/// images: of a batch, that lie before those of x.
template <class T, class D>
void channel_dropout(Context<D>& context, View<const std::type_identity_t<T>> x, float rate, Philox random,
                     View<std::type_identity_t<T>> y, const std::uint64_t* offset = nullptr, Index images = 0) {
  if (x.shape != y.shape) throw ShapeError(message("channel_dropout: input is ", x.shape, ", the output is ", y.shape));
  if (!(rate >= 0 && rate < 1)) throw ArgumentError(message("channel_dropout: rate is ", rate, ", must be in [0, 1)"));
  using C = compute_t<T>;
  const Index channels = x.shape.n * x.shape.c;
  const DeviceArray<C, D> factors(context, static_cast<std::size_t>(channels));
  exec::parallel_for(context, {1, 1, 1, channels},
                     detail::DrawFactors<C>{rate, random, offset, images * x.shape.c, factors.data()});
  exec::for_runs<T>("channel_dropout", context, detail::ScaleChannels<T>{factors.data(), x.shape.c}, y, x);
}

}  // namespace nucdet::ops
