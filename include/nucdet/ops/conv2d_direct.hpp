#pragma once
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/exec/rows.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/epilogue.hpp"

/// Convolution as plain sums, one output element each: the GPU's path where no other is there, and the oracle for it.
/// Geometry and order of weights: Conv2dProblem.
namespace nucdet::ops::detail {

/// y = last(first(sum + bias) + residual), for an element whose sum is known.
template <class T>
NUCDET_HD T finish(const Epilogue<T>& epilogue, compute_t<T> sum, Index n, Index y, Index x, Index c) {
  using C = compute_t<T>;
  C value = apply(epilogue.first, epilogue.bias != nullptr ? sum + epilogue.bias[c] : sum);
  if (epilogue.residual.data != nullptr) value += static_cast<C>(epilogue.residual(n, y, x, c));
  return static_cast<T>(apply(epilogue.last, value));
}

/// The small position that reads large position `at` through kernel position k, or -1.
NUCDET_HD inline Index reader(Index at, Index k, Index stride, Index pad, Index dilation, Index size) {
  const Index shifted = at + pad - dilation * k;
  if (shifted < 0 || shifted % stride != 0) return -1;
  return shifted / stride < size ? shifted / stride : -1;
}

template <class T>
struct DirectConvolution {
  Conv2dProblem problem;
  View<const T> large;
  const T* weight;
  Epilogue<T> epilogue;
  View<T> small;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index j = t.x0; j < t.x1; ++j)
      for (Index o = t.c0; o < t.c1; ++o) small(t.n, t.y, j, o) = finish(epilogue, sum(t.n, t.y, j, o), t.n, t.y, j, o);
  }

 private:
  NUCDET_HD compute_t<T> sum(Index n, Index i, Index j, Index o) const {
    const Conv2dProblem& p = problem;
    const Index channels = p.group_inputs(), first = o / p.group_outputs() * channels;
    compute_t<T> total = 0;
    for (Index ky = 0; ky < p.kernel.y; ++ky) {
      const Index y = p.stride.y * i + p.dilation.y * ky - p.pad.y;
      if (y < 0 || y >= p.large.h) continue;
      for (Index kx = 0; kx < p.kernel.x; ++kx) {
        const Index x = p.stride.x * j + p.dilation.x * kx - p.pad.x;
        if (x < 0 || x >= p.large.w) continue;
        const T *const from = large.pixel(n, y, x) + first, *const w =
                                                                weight +
                                                                ((o * p.kernel.y + ky) * p.kernel.x + kx) * channels;
        for (Index c = 0; c < channels; ++c)
          total += static_cast<compute_t<T>>(from[c]) * static_cast<compute_t<T>>(w[c]);
      }
    }
    return total;
  }
};

/// An element of the large side gathers the elements of the small side that read it.
template <class T>
struct DirectDataGradient {
  Conv2dProblem problem;
  View<const T> small;
  const T* weight;
  Epilogue<T> epilogue;
  View<T> large;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index x = t.x0; x < t.x1; ++x)
      for (Index c = t.c0; c < t.c1; ++c) large(t.n, t.y, x, c) = finish(epilogue, sum(t.n, t.y, x, c), t.n, t.y, x, c);
  }

 private:
  NUCDET_HD compute_t<T> sum(Index n, Index y, Index x, Index c) const {
    const Conv2dProblem& p = problem;
    const Index channels = p.group_inputs(), first = c / channels * p.group_outputs();
    compute_t<T> total = 0;
    for (Index ky = 0; ky < p.kernel.y; ++ky) {
      const Index i = reader(y, ky, p.stride.y, p.pad.y, p.dilation.y, p.small.h);
      if (i < 0) continue;
      for (Index kx = 0; kx < p.kernel.x; ++kx) {
        const Index j = reader(x, kx, p.stride.x, p.pad.x, p.dilation.x, p.small.w);
        if (j < 0) continue;
        const T* const from = small.pixel(n, i, j);
        for (Index o = first; o < first + p.group_outputs(); ++o)
          total +=
              static_cast<compute_t<T>>(from[o]) *
              static_cast<compute_t<T>>(weight[((o * p.kernel.y + ky) * p.kernel.x + kx) * channels + c % channels]);
      }
    }
    return total;
  }
};

/// An element of the weights sums over all pixels; grid: weight_grid. Added to dweight.
template <class T>
struct DirectWeightGradient {
  Conv2dProblem problem;
  View<const T> large, small;
  compute_t<T>* dweight;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Conv2dProblem& p = problem;
    for (Index kx = t.x0; kx < t.x1; ++kx)
      for (Index c = t.c0; c < t.c1; ++c)
        dweight[((t.n * p.kernel.y + t.y) * p.kernel.x + kx) * p.group_inputs() + c] += sum(t.n, t.y, kx, c);
  }

 private:
  NUCDET_HD compute_t<T> sum(Index o, Index ky, Index kx, Index c) const {
    const Conv2dProblem& p = problem;
    const Index channel = o / p.group_outputs() * p.group_inputs() + c;
    double total = 0;
    for (Index n = 0; n < p.small.n; ++n)
      for (Index i = 0; i < p.small.h; ++i) {
        const Index y = p.stride.y * i + p.dilation.y * ky - p.pad.y;
        if (y < 0 || y >= p.large.h) continue;
        for (Index j = 0; j < p.small.w; ++j) {
          const Index x = p.stride.x * j + p.dilation.x * kx - p.pad.x;
          if (x < 0 || x >= p.large.w) continue;
          total += static_cast<double>(static_cast<compute_t<T>>(large(n, y, x, channel)) *
                                       static_cast<compute_t<T>>(small(n, i, j, o)));
        }
      }
    return static_cast<compute_t<T>>(total);
  }
};
/// A place for each weight.
NUCDET_HD inline Shape weight_grid(const Conv2dProblem& p) {
  return {p.small.c, p.kernel.y, p.kernel.x, p.group_inputs()};
}

/// The epilogue by itself, in place on a map of sums (and with the residual's run): the unfused twin of what a
/// convolution engine can do in its store.
template <class T>
struct FinishRun {
  static constexpr bool knows_place = true;
  const compute_t<T>* bias;
  Fused first, last;

  NUCDET_HD void operator()(const exec::RunPlace& at, const T* sum, T* y, Index count) const {
    for (Index i = 0; i < count; ++i) y[i] = static_cast<T>(apply(last, apply(first, biased(sum[i], at.c + i))));
  }
  NUCDET_HD void operator()(const exec::RunPlace& at, const T* sum, const T* residual, T* y, Index count) const {
    for (Index i = 0; i < count; ++i)
      y[i] =
          static_cast<T>(apply(last, apply(first, biased(sum[i], at.c + i)) + static_cast<compute_t<T>>(residual[i])));
  }

 private:
  NUCDET_HD compute_t<T> biased(T sum, Index c) const {
    return static_cast<compute_t<T>>(sum) + (bias != nullptr ? bias[c] : compute_t<T>(0));
  }
};

}  // namespace nucdet::ops::detail
