#pragma once
#include <cstddef>
#include <type_traits>

#include "nucdet/exec/reduce.hpp"
#include "nucdet/ops/conv2d_direct.hpp"

/// Depthwise convolution: one filter for each channel. It moves more than it computes, so that it is no matrix product:
/// every tap is one multiply-add for all channels of a pixel. The GPU's kernels, and the headers' on the CPU.
namespace nucdet::ops {

namespace detail {

/// Weights [channel][tap] as [tap][channel], in the type that sums are taken in.
template <class T>
struct TapsFirst {
  const T* weight;
  Index channels, taps;
  compute_t<T>* out;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index tap = t.x0; tap < t.x1; ++tap)
      for (Index c = t.c0; c < t.c1; ++c) out[tap * channels + c] = static_cast<compute_t<T>>(weight[c * taps + tap]);
  }
};

/// Forward: the small side gathers from the large one. Else the large side gathers from the small one.
template <class T, bool Forward>
struct Depthwise {
  using C = compute_t<T>;
  Conv2dProblem problem;
  View<const T> from;
  const C* weight;  // [tap][channel]
  Epilogue<T> epilogue;
  View<T> to;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
#if !defined(__CUDA_ARCH__)
      if constexpr (std::is_same_v<T, C>) {
        pixel(t, i);
        continue;
      }
#endif
      for (Index c = t.c0; c < t.c1; ++c) {
        C sum = 0;
        each_tap(t.n, t.y, i, [&](const C* w, const T* p) { sum += w[c] * static_cast<C>(p[c]); });
        to(t.n, t.y, i, c) = finish(epilogue, sum, t.n, t.y, i, c);
      }
    }
  }

 private:
  /// The channels inside each tap, which compilers make vectors of.
  void pixel(const exec::Tile& t, Index i) const {
    T* const out = to.pixel(t.n, t.y, i);
    for (Index c = t.c0; c < t.c1; ++c) out[c] = epilogue.bias != nullptr ? static_cast<T>(epilogue.bias[c]) : T(0);
    each_tap(t.n, t.y, i, [&](const C* w, const T* p) {
      for (Index c = t.c0; c < t.c1; ++c) out[c] += static_cast<T>(w[c]) * p[c];
    });
    apply(epilogue.first, out + t.c0, t.c1 - t.c0);
    if (epilogue.residual.data != nullptr) {
      const T* const r = epilogue.residual.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) out[c] += r[c];
    }
    apply(epilogue.last, out + t.c0, t.c1 - t.c0);
  }
  /// Calls body(weights of the tap, pixel that it meets).
  template <class Body>
  NUCDET_HD void each_tap(Index n, Index y, Index x, const Body& body) const {
    const Conv2dProblem& p = problem;
    for (Index ky = 0; ky < p.kernel.y; ++ky) {
      const Index row = met(y, ky, p.stride.y, p.pad.y, p.dilation.y, from.shape.h);
      if (row < 0) continue;
      for (Index kx = 0; kx < p.kernel.x; ++kx) {
        const Index column = met(x, kx, p.stride.x, p.pad.x, p.dilation.x, from.shape.w);
        if (column >= 0) body(weight + (ky * p.kernel.x + kx) * from.shape.c, from.pixel(n, row, column));
      }
    }
  }
  /// The position that `at` meets through kernel position k, or -1.
  NUCDET_HD static Index met(Index at, Index k, Index stride, Index pad, Index dilation, Index size) {
    if constexpr (Forward) {
      const Index place = stride * at + dilation * k - pad;
      return place < size ? place : -1;
    } else {
      return reader(at, k, stride, pad, dilation, size);
    }
  }
};

/// Terms of the gradient of `taps` weights of each channel, from tap `first` on.
template <class T>
struct DepthwiseSlopes {
  Conv2dProblem problem;
  View<const T> large, small;
  Index first, taps;
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<compute_t<T>>& sums) const {
    using C = compute_t<T>;
    const Conv2dProblem& p = problem;
    for (Index k = 0; k < taps; ++k) {
      const Index row = p.stride.y * t.y + p.dilation.y * ((first + k) / p.kernel.x) - p.pad.y;
      if (row < 0 || row >= p.large.h) continue;
      for (Index i = t.x0; i < t.x1; ++i) {
        const Index column = p.stride.x * i + p.dilation.x * ((first + k) % p.kernel.x) - p.pad.x;
        if (column < 0 || column >= p.large.w) continue;
        const T *const x = large.pixel(t.n, row, column), *const d = small.pixel(t.n, t.y, i);
        for (Index c = t.c0; c < t.c1; ++c) sums(static_cast<int>(k), c) += static_cast<C>(x[c]) * static_cast<C>(d[c]);
      }
    }
  }
};

/// dweight[channel][first + k] += sums[k][channel].
template <class C>
struct AddTaps {
  const double* sums;
  Index channels, first, taps, all_taps;
  C* dweight;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c)
      for (Index k = 0; k < taps; ++k) dweight[c * all_taps + first + k] += static_cast<C>(sums[k * channels + c]);
  }
};

template <class T, bool Forward, class D>
void depthwise(Context<D>& context, const Conv2dProblem& p, View<const T> from, const T* weight,
               const Epilogue<T>& epilogue, View<T> to) {
  using C = compute_t<T>;
  const Index taps = p.kernel.count(), channels = p.large.c;
  const DeviceArray<C, D> turned(context, static_cast<std::size_t>(taps * channels));
  exec::parallel_for(context, {1, 1, taps, channels}, TapsFirst<T>{weight, channels, taps, turned.data()});
  exec::parallel_for(context, to.shape, Depthwise<T, Forward>{p, from, turned.data(), epilogue, to});
}

}  // namespace detail

/// The three passes of a depthwise problem, as conv2d and its gradients have them.
template <class T, class D>
void depthwise_convolution(Context<D>& context, const Conv2dProblem& problem, View<const T> x, const T* weight,
                           const Epilogue<T>& epilogue, View<T> y) {
  detail::depthwise<T, true>(context, problem, x, weight, epilogue, y);
}
template <class T, class D>
void depthwise_data_gradient(Context<D>& context, const Conv2dProblem& problem, View<const T> dy, const T* weight,
                             const Epilogue<T>& epilogue, View<T> dx) {
  detail::depthwise<T, false>(context, problem, dy, weight, epilogue, dx);
}
template <class T, class D>
void depthwise_weight_gradient(Context<D>& context, const Conv2dProblem& problem, View<const T> x, View<const T> dy,
                               compute_t<T>* dweight) {
  using C = compute_t<T>;
  constexpr int kAtOnce = 9;  // taps of a 3x3 kernel: the maps are read once
  const Index taps = problem.kernel.count(), channels = problem.large.c;
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(kAtOnce * channels));
  for (Index first = 0; first < taps; first += kAtOnce) {
    const Index count = taps - first < kAtOnce ? taps - first : kAtOnce;
    exec::reduce_columns<C, kAtOnce>(context, dy.shape, 1, detail::DepthwiseSlopes<T>{problem, x, dy, first, count},
                                     sums.data());
    exec::parallel_for(context, {1, 1, 1, channels},
                       detail::AddTaps<C>{sums.data(), channels, first, count, taps, dweight});
  }
}

}  // namespace nucdet::ops
