/// The GPU's convolutions over the shapes of MicroNet at base 32 on 1024x1024 pixels: the three passes, with bias and
/// ELU in the store where an engine can; FLOP/s against machine/matrix_product.
#include <benchmark/benchmark.h>

#include "nucdet/core/device_timer.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "support/counters.hpp"
#include "support/device.hpp"

namespace {

using namespace nucdet;
using nucdet_bench::random_tensor;

enum Pass { forward, fused, data, weight };

/// ranges: channels in, out, kernel, stride, size.
template <class T, Pass P>
void convolution(benchmark::State& state) {
  Context<Cuda> context({.precision = std::is_same_v<T, bf16> ? Precision::bf16 : Precision::tf32, .measure = true});
  const auto p = ops::same_convolution({1, state.range(4), state.range(4), state.range(0)}, state.range(1),
                                       state.range(2), state.range(3));
  Tensor<Cuda> x = random_tensor(context, p.large, dtype_of<T>), y = random_tensor(context, p.small, dtype_of<T>);
  const Tensor<Cuda> w = random_tensor(context, {1, 1, 1, p.weights()}, dtype_of<T>),
                     bias = random_tensor(context, {1, 1, 1, p.small.c}, DType::f32);
  Tensor<Cuda> dw = context.zeros({1, 1, 1, p.weights()});
  const T* const factors = w.template view<const T>().data;
  const auto work = [&] {
    if constexpr (P == forward)
      ops::conv2d<T>(context, p, std::as_const(x).template view<const T>(), factors, {}, y.template view<T>());
    if constexpr (P == fused)
      ops::conv2d<T>(
          context, p, std::as_const(x).template view<const T>(), factors,
          {.bias = bias.view<const float>().data, .first = {ops::Fused::Kind::elu, 1}, .residual = {}, .last = {}},
          y.template view<T>());
    if constexpr (P == data)
      ops::conv2d_data_gradient<T>(context, p, std::as_const(y).template view<const T>(), factors, {},
                                   x.template view<T>());
    if constexpr (P == weight)
      ops::conv2d_weight_gradient<T>(context, p, std::as_const(x).template view<const T>(),
                                     std::as_const(y).template view<const T>(), dw.template view<float>().data);
  };
  work();
  for (auto _ : state) state.SetIterationTime(1e-3 * milliseconds_of(context, work));
  nucdet_bench::set_cost(state, static_cast<double>(p.flops()), static_cast<double>(p.bytes(sizeof(T))));
  state.SetLabel(context.convolution_log().back());
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out", "kernel", "stride", "size"})->UseManualTime();
  b->Args({3, 32, 3, 1, 1024})->Args({32, 64, 3, 2, 1024})->Args({64, 64, 3, 1, 512})->Args({128, 128, 3, 1, 256});
  b->Args({256, 256, 3, 1, 128})->Args({512, 512, 3, 1, 128})->Args({192, 32, 5, 1, 1024})->Args({32, 1, 1, 1, 1024});
}
/// One channel count for both sides: a product of matrices.
void product(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out", "kernel", "stride", "size"})->UseManualTime()->Args({4096, 4096, 1, 1, 64});
}

BENCHMARK_TEMPLATE(convolution, bf16, forward)->Name("machine/matrix_product/bf16")->Apply(product);
BENCHMARK_TEMPLATE(convolution, float, forward)->Name("machine/matrix_product/tf32")->Apply(product);
BENCHMARK_TEMPLATE(convolution, bf16, forward)->Name("cuda/conv2d/bf16")->Apply(shapes);
BENCHMARK_TEMPLATE(convolution, bf16, fused)->Name("cuda/conv2d_bias_elu/bf16")->Apply(shapes);
BENCHMARK_TEMPLATE(convolution, bf16, data)->Name("cuda/conv2d_data_gradient/bf16")->Apply(shapes);
BENCHMARK_TEMPLATE(convolution, bf16, weight)->Name("cuda/conv2d_weight_gradient/bf16")->Apply(shapes);
BENCHMARK_TEMPLATE(convolution, float, forward)->Name("cuda/conv2d/tf32")->Apply(shapes);

}  // namespace
