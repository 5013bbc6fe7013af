#pragma once
#include <type_traits>

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/ops/bias_gradient.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/conv2d_taps.hpp"
#include "nucdet/ops/correlate.hpp"
#include "nucdet/ops/depthwise.hpp"

namespace nucdet::ops {

namespace detail {

inline void check(const char* op, const Conv2dProblem& p, const Shape& large, const Shape& small) {
  if (large != p.large || small != p.small)
    throw ShapeError(message(op, ": got ", large, " and ", small, ", planned for ", p.large, " and ", p.small));
}

/// A strided or dilated convolution is a sum of correlations, some for each phase of its input.
template <class T>
void convolution(Context<Cpu>& context, const Conv2dProblem& p, View<const T> x, const T* weight,
                 const Epilogue<T>& epilogue, View<T> y) {
  const Index ci = p.large.c, co = p.small.c;
  Tensor<Cpu> packed_memory = context.make({1, 1, 1, p.weights()}, dtype_of<T>);
  T* packed = packed_memory.template view<T>().data;
  const DeviceArray<Correlation<T>, Cpu> terms(context, static_cast<std::size_t>(p.kernel.count()));
  std::size_t count = 0;
  for_each_block(p, [&](Index a, Index b, const Taps& ty, const Taps& tx) {
    terms.data()[count++] = {x.phase(a, b, p.stride.y, p.stride.x), ty.count, tx.count, -ty.shift, -tx.shift, packed};
    context.run(ty.count * tx.count, [&, packed](Index tap, int) {
      const Index ky = ty.first + tap / tx.count * ty.step, kx = tx.first + tap % tx.count * tx.step;
      const T* from = weight + (ky * p.kernel.x + kx) * ci;
      T* to = packed + tap * ci * co;
      for (Index c = 0; c < ci; ++c)
        for (Index o = 0; o < co; ++o) to[c * co + o] = from[o * p.kernel.count() * ci + c];
    });
    packed += ty.count * tx.count * ci * co;
  });
  correlate<T>(context, {terms.data(), count}, epilogue, y);
}

/// Its data gradient is correlations with the turned kernel for each phase.
template <class T>
void data_gradient(Context<Cpu>& context, const Conv2dProblem& p, View<const T> dy, const T* weight,
                   const Epilogue<T>& epilogue, View<T> dx) {
  const Index ci = p.large.c, co = p.small.c;
  Tensor<Cpu> packed_memory = context.make({1, 1, 1, p.weights()}, dtype_of<T>);
  const DeviceArray<Correlation<T>, Cpu> terms(context, static_cast<std::size_t>(p.kernel.count()));
  for (Index a = 0; a < p.stride.y; ++a)
    for (Index b = 0; b < p.stride.x; ++b) {
      T* packed = packed_memory.template view<T>().data;
      std::size_t count = 0;
      for_each_block(p, a, b, [&](const Taps& ty, const Taps& tx) {
        context.run(ty.count * tx.count, [&, packed](Index tap, int) {
          const Index ky = ty.first + (ty.count - 1 - tap / tx.count) * ty.step;
          const Index kx = tx.first + (tx.count - 1 - tap % tx.count) * tx.step;
          for (Index o = 0; o < co; ++o)
            std::copy_n(weight + ((o * p.kernel.y + ky) * p.kernel.x + kx) * ci, ci, packed + (tap * co + o) * ci);
        });
        terms.data()[count++] = {dy, ty.count, tx.count, ty.count - 1 + ty.shift, tx.count - 1 + tx.shift, packed};
        packed += ty.count * tx.count * ci * co;
      });
      Epilogue<T> part = epilogue;
      if (epilogue.residual.data != nullptr) part.residual = epilogue.residual.phase(a, b, p.stride.y, p.stride.x);
      correlate<T>(context, {terms.data(), count}, part, dx.phase(a, b, p.stride.y, p.stride.x));
    }
}

template <class T>
void weight_gradient(Context<Cpu>& context, const Conv2dProblem& p, View<const T> x, View<const T> dy, T* dweight) {
  const Index ci = p.large.c, co = p.small.c;
  for_each_block(p, [&](Index a, Index b, const Taps& ty, const Taps& tx) {
    Tensor<Cpu> memory = context.zeros({1, ty.count * tx.count, ci, co}, dtype_of<T>);
    T* const packed = memory.template view<T>().data;
    const Correlation<T> term{x.phase(a, b, p.stride.y, p.stride.x), ty.count, tx.count, -ty.shift, -tx.shift, nullptr};
    correlate_weights<T>(context, term, dy, packed);
    for (Index tap = 0; tap < ty.count * tx.count; ++tap) {
      const Index ky = ty.first + tap / tx.count * ty.step, kx = tx.first + tap % tx.count * tx.step;
      for (Index o = 0; o < co; ++o)
        for (Index c = 0; c < ci; ++c)
          dweight[((o * p.kernel.y + ky) * p.kernel.x + kx) * ci + c] += packed[(tap * ci + c) * co + o];
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
  if (problem.depthwise()) return depthwise_convolution<T>(context, problem, x, weight, epilogue, y);
  detail::for_each_group(problem, [&](const Conv2dProblem& p, Index in, Index out, Index first) {
    detail::convolution<T>(context, p, x.channels(in, p.large.c), weight + first, epilogue.channels(out, p.small.c),
                           y.channels(out, p.small.c));
  });
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
  if (problem.depthwise()) return depthwise_data_gradient<T>(context, problem, dy, weight, epilogue, dx);
  detail::for_each_group(problem, [&](const Conv2dProblem& p, Index in, Index out, Index first) {
    detail::data_gradient<T>(context, p, dy.channels(out, p.small.c), weight + first, epilogue.channels(in, p.large.c),
                             dx.channels(in, p.large.c));
  });
}

/// dweight += weight gradient of the convolution.
template <class T>
void conv2d_weight_gradient(Context<Cpu>& context, const Conv2dProblem& problem, View<const T> x, View<const T> dy,
                            T* dweight) {
  detail::check("conv2d_weight_gradient", problem, x.shape, dy.shape);
  if constexpr (std::is_same_v<T, float>)
    if (context.kernels() != nullptr) return context.kernels()->weight_gradient(context, problem, x, dy, dweight);
  if (problem.depthwise()) return depthwise_weight_gradient<T>(context, problem, x, dy, dweight);
  detail::for_each_group(problem, [&](const Conv2dProblem& p, Index in, Index out, Index first) {
    detail::weight_gradient<T>(context, p, x.channels(in, p.large.c), dy.channels(out, p.small.c), dweight + first);
  });
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

}  // namespace nucdet::ops
