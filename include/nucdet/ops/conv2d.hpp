#pragma once
#include <type_traits>
#include <vector>

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/exec/reduce.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/correlate.hpp"
#include "nucdet/ops/norm.hpp"

namespace nucdet::ops {

namespace detail {

/// The taps of one axis that meet phase `phase` of the large side: kernel positions first, first + stride, ...
/// Position first + stride t reads pixel i + shift + t of that phase for output pixel i.
struct Taps {
  Index first, count, shift;
};
inline Taps taps_of_phase(const Conv2dProblem& p, Index phase) {
  const Index first = (phase + p.pad) % p.stride;
  const Index count = first < p.kernel ? (p.kernel - first + p.stride - 1) / p.stride : 0;
  return {first, count, (first - p.pad - phase) / p.stride};
}

inline void check(const char* op, const Conv2dProblem& p, const Shape& large, const Shape& small) {
  if (large != p.large || small != p.small)
    throw ShapeError(message(op, ": got ", large, " and ", small, ", planned for ", p.large, " and ", p.small));
}

/// Calls body(a, b, rows, columns) for each phase of the large side that some tap of the kernel meets.
template <class Body>
void for_each_phase(const Conv2dProblem& p, Body&& body) {
  for (Index a = 0; a < p.stride; ++a)
    for (Index b = 0; b < p.stride; ++b) {
      const Taps ty = taps_of_phase(p, a), tx = taps_of_phase(p, b);
      if (ty.count > 0 && tx.count > 0) body(a, b, ty, tx);
    }
}

/// A strided convolution is a sum of correlations, one for each phase of its input.
template <class T>
void convolution(Context<Cpu>& context, const Conv2dProblem& p, View<const T> x, const T* weight,
                 const Epilogue<T>& epilogue, View<T> y) {
  const Index ci = p.large.c, co = p.small.c;
  Tensor<Cpu> packed_memory = context.make({1, 1, 1, p.weights()}, dtype_of<T>);
  T* packed = packed_memory.template view<T>().data;
  std::vector<Correlation<T>> terms;
  for_each_phase(p, [&](Index a, Index b, Taps ty, Taps tx) {
    terms.push_back({x.phase(a, b, p.stride), ty.count, tx.count, -ty.shift, -tx.shift, packed});
    context.run(ty.count * tx.count, [&, packed](Index tap, int) {
      const Index ky = ty.first + tap / tx.count * p.stride, kx = tx.first + tap % tx.count * p.stride;
      const T* from = weight + (ky * p.kernel + kx) * ci;
      T* to = packed + tap * ci * co;
      for (Index c = 0; c < ci; ++c)
        for (Index o = 0; o < co; ++o) to[c * co + o] = from[o * p.kernel * p.kernel * ci + c];
    });
    packed += ty.count * tx.count * ci * co;
  });
  correlate<T>(context, terms, epilogue, y);
}

/// Its data gradient is one correlation with the turned kernel for each phase.
template <class T>
void data_gradient(Context<Cpu>& context, const Conv2dProblem& p, View<const T> dy, const T* weight,
                   const Epilogue<T>& epilogue, View<T> dx) {
  const Index ci = p.large.c, co = p.small.c;
  Tensor<Cpu> packed_memory = context.make({1, 1, 1, p.weights()}, dtype_of<T>);
  T* const packed = packed_memory.template view<T>().data;
  for (Index a = 0; a < p.stride; ++a)
    for (Index b = 0; b < p.stride; ++b) {
      const Taps ty = taps_of_phase(p, a), tx = taps_of_phase(p, b);
      const Index taps = ty.count * tx.count;
      context.run(taps, [&](Index tap, int) {
        const Index ky = ty.first + (ty.count - 1 - tap / tx.count) * p.stride;
        const Index kx = tx.first + (tx.count - 1 - tap % tx.count) * p.stride;
        for (Index o = 0; o < co; ++o)
          std::copy_n(weight + ((o * p.kernel + ky) * p.kernel + kx) * ci, ci, packed + (tap * co + o) * ci);
      });
      const Correlation<T> term{dy, ty.count, tx.count, ty.count - 1 + ty.shift, tx.count - 1 + tx.shift, packed};
      Epilogue<T> part = epilogue;
      if (epilogue.residual.data != nullptr) part.residual = epilogue.residual.phase(a, b, p.stride);
      correlate<T>(context, {&term, taps > 0 ? std::size_t{1} : std::size_t{0}}, part, dx.phase(a, b, p.stride));
    }
}

template <class T>
void weight_gradient(Context<Cpu>& context, const Conv2dProblem& p, View<const T> x, View<const T> dy, T* dweight) {
  const Index ci = p.large.c, co = p.small.c;
  for_each_phase(p, [&](Index a, Index b, Taps ty, Taps tx) {
    Tensor<Cpu> memory = context.zeros({1, ty.count * tx.count, ci, co}, dtype_of<T>);
    T* const packed = memory.template view<T>().data;
    const Correlation<T> term{x.phase(a, b, p.stride), ty.count, tx.count, -ty.shift, -tx.shift, nullptr};
    correlate_weights<T>(context, term, dy, packed);
    for (Index tap = 0; tap < ty.count * tx.count; ++tap) {
      const Index ky = ty.first + tap / tx.count * p.stride, kx = tx.first + tap % tx.count * p.stride;
      for (Index o = 0; o < co; ++o)
        for (Index c = 0; c < ci; ++c)
          dweight[((o * p.kernel + ky) * p.kernel + kx) * ci + c] += packed[(tap * ci + c) * co + o];
    }
  });
}

}  // namespace detail

/// y = epilogue(convolution of x). x: problem.large, y: problem.small, weight: see Conv2dProblem.
template <class T>
void conv2d(Context<Cpu>& context, const Conv2dProblem& problem, View<const T> x, const T* weight,
            const Epilogue<T>& epilogue, View<T> y) {
  detail::check("conv2d", problem, x.shape, y.shape);
  if constexpr (std::is_same_v<T, float>)
    if (context.kernels() != nullptr) return context.kernels()->convolution(context, problem, x, weight, epilogue, y);
  detail::convolution(context, problem, x, weight, epilogue, y);
}

/// dx = epilogue(data gradient of the convolution) from dy, the gradient of its output. With x for dy and y for dx, the
/// forward pass of the transposed convolution.
template <class T>
void conv2d_data_gradient(Context<Cpu>& context, const Conv2dProblem& problem, View<const T> dy, const T* weight,
                          const Epilogue<T>& epilogue, View<T> dx) {
  detail::check("conv2d_data_gradient", problem, dx.shape, dy.shape);
  if constexpr (std::is_same_v<T, float>)
    if (context.kernels() != nullptr)
      return context.kernels()->data_gradient(context, problem, dy, weight, epilogue, dx);
  detail::data_gradient(context, problem, dy, weight, epilogue, dx);
}

/// dweight += weight gradient of the convolution.
template <class T>
void conv2d_weight_gradient(Context<Cpu>& context, const Conv2dProblem& problem, View<const T> x, View<const T> dy,
                            T* dweight) {
  detail::check("conv2d_weight_gradient", problem, x.shape, dy.shape);
  if constexpr (std::is_same_v<T, float>)
    if (context.kernels() != nullptr) return context.kernels()->weight_gradient(context, problem, x, dy, dweight);
  detail::weight_gradient(context, problem, x, dy, dweight);
}

/// The same on a GPU: by cuDNN where it has an engine, else as plain sums. T: float, bf16 or f16; src/cuda holds them.
template <class T>
void conv2d(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x, const T* weight,
            const Epilogue<T>& epilogue, View<T> y);
template <class T>
void conv2d_data_gradient(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> dy, const T* weight,
                          const Epilogue<T>& epilogue, View<T> dx);
template <class T>
void conv2d_weight_gradient(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x, View<const T> dy,
                            compute_t<T>* dweight);

/// dbias += sum of dy over images and pixels.
template <class T, class D>
void bias_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, compute_t<T>* dbias) {
  using C = compute_t<T>;
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(dy.shape.c));
  exec::reduce_columns<C, 1>(context, dy.shape, 1, detail::SumChannels<T>{dy}, sums.data());
  exec::parallel_for(context, {1, 1, 1, dy.shape.c}, detail::AddSums<C>{sums.data(), dbias});
}

}  // namespace nucdet::ops
