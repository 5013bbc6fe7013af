/// Convolution and transposed convolution, forward and both gradients, over the layers that the networks have, and one
/// layer by every method and instruction set.
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/core/rng.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "support/counters.hpp"

namespace {

using namespace nucdet;

std::vector<float> random_floats(Index count, std::uint64_t stream) {
  RandomStream random{1, stream};
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) v = static_cast<float>(random.uniform(-1, 1));
  return values;
}

/// A convolution's arrays; ranges: kernel, stride, channels in, channels out, size, threads and, where given, dilation
/// and groups.
template <bool Further = false>
struct Layer {
  ops::Conv2dProblem problem;
  Context<Cpu> context;
  std::vector<float> large, small, weight, bias;

  explicit Layer(const benchmark::State& state, CpuOptions options = {})
      : problem(ops::grouped(
            ops::same_convolution({1, state.range(4), state.range(4), state.range(2)}, state.range(3), state.range(0),
                                  state.range(1), ops::Rounding::floor, Further ? state.range(6) : 1),
            Further ? state.range(7) : 1)),
        context(with_threads(options, static_cast<int>(state.range(5)))),
        large(random_floats(problem.large.count(), 1)),
        small(random_floats(problem.small.count(), 2)),
        weight(random_floats(problem.weights(), 3)),
        bias(random_floats(std::max(problem.small.c, problem.large.c), 4)) {}
  static CpuOptions with_threads(CpuOptions options, int threads) {
    options.threads = threads;
    return options;
  }
  View<float> x() { return {large.data(), problem.large}; }
  View<float> y() { return {small.data(), problem.small}; }
  void count(benchmark::State& state) const {
    const double elements = static_cast<double>(problem.large.count() + problem.small.count() + problem.weights());
    nucdet_bench::set_cost(state, static_cast<double>(problem.flops()), 4 * elements);
  }
};

template <bool Further = false>
void forward_with(benchmark::State& state, const CpuOptions& options) {
  Layer<Further> l(state, options);
  const ops::Epilogue<float> elu{
      .bias = l.bias.data(), .first = {ops::Fused::Kind::elu, 1}, .residual = {}, .last = {}};
  for (auto _ : state) ops::conv2d<float>(l.context, l.problem, l.x(), l.weight.data(), elu, l.y());
  l.count(state);
}
template <bool Further = false>
void forward(benchmark::State& state) {
  forward_with<Further>(state, {});
}
/// The data gradient: the same pass as a transposed convolution's forward.
template <bool Further = false>
void data_gradient(benchmark::State& state) {
  Layer<Further> l(state);
  for (auto _ : state) ops::conv2d_data_gradient<float>(l.context, l.problem, l.y(), l.weight.data(), {}, l.x());
  l.count(state);
}
template <bool Further = false>
void weight_gradient(benchmark::State& state) {
  Layer<Further> l(state);
  std::vector<float> gradient(l.weight.size(), 0.0f);
  for (auto _ : state) ops::conv2d_weight_gradient<float>(l.context, l.problem, l.x(), l.y(), gradient.data());
  l.count(state);
}

void layers(benchmark::internal::Benchmark* b) {
  b->ArgNames({"k", "s", "in", "out", "size", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int threads : {1, 2}) {
    for (const auto& [channels, size] : {std::pair{32, 512}, {64, 256}, {128, 128}, {256, 64}, {512, 64}})
      b->Args({3, 1, channels, channels, size, threads});
    b->Args({3, 1, 3, 32, 512, threads})->Args({3, 2, 64, 128, 256, threads});
    b->Args({5, 1, 192, 32, 256, threads})->Args({5, 1, 192, 32, 512, threads});
    b->Args({1, 1, 64, 64, 256, threads})->Args({3, 1, 32, 1, 512, threads});
  }
}
void one_layer(benchmark::internal::Benchmark* b) {
  b->ArgNames({"k", "s", "in", "out", "size", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int threads : {1, 2}) b->Args({3, 1, 64, 64, 256, threads});
}
/// Memory-bound: a filter a channel. Beside it the bytes say more than the FLOP.
void depthwise(benchmark::internal::Benchmark* b) {
  b->ArgNames({"k", "s", "in", "out", "size", "threads", "dilation", "groups"});
  b->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int threads : {1, 2}) {
    for (const auto& [channels, size] : {std::pair{32, 512}, {64, 256}, {256, 64}})
      b->Args({3, 1, channels, channels, size, threads, 1, channels});
    b->Args({3, 2, 64, 64, 256, threads, 1, 64})->Args({5, 1, 64, 64, 256, threads, 1, 64});
  }
}
void dilated(benchmark::internal::Benchmark* b) {
  b->ArgNames({"k", "s", "in", "out", "size", "threads", "dilation", "groups"});
  b->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int threads : {1, 2})
    b->Args({3, 1, 64, 64, 256, threads, 2, 1})
        ->Args({3, 1, 64, 64, 256, threads, 4, 1})
        ->Args({3, 1, 64, 64, 256, threads, 1, 4});
}
void up(benchmark::internal::Benchmark* b) {
  b->ArgNames({"k", "s", "out", "in", "size", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int threads : {1, 2}) {
    for (const auto& [channels, size] : {std::pair{32, 512}, {64, 256}, {128, 128}})
      b->Args({3, 2, channels, 2 * channels, size, threads})->Args({5, 2, channels, channels, size, threads});
    b->Args({3, 2, 32, 128, 512, threads})->Args({3, 2, 64, 256, 256, threads});
  }
}

/// A row for each method and each instruction set of this machine.
[[maybe_unused]] const bool kRegistered = [] {
  const auto add = [](const std::string& name, const CpuOptions& options) {
    benchmark::RegisterBenchmark(("conv2d/forward/" + name).c_str(), forward_with<>, options)->Apply(one_layer);
  };
  add("direct", {.convolution = ConvolutionMethod::direct});
  add("winograd_2", {.convolution = ConvolutionMethod::winograd_2});
  add("winograd_4", {.convolution = ConvolutionMethod::winograd_4});
  add("winograd_6", {.convolution = ConvolutionMethod::winograd_6});
  for (const cpu::Kernels* kernels : cpu::available_kernels()) add(kernels->name, {.kernels = kernels});
  return true;
}();

BENCHMARK_TEMPLATE(forward, false)->Name("conv2d/forward")->Apply(layers);
BENCHMARK_TEMPLATE(data_gradient, false)->Name("conv2d/data_gradient")->Apply(layers);
BENCHMARK_TEMPLATE(weight_gradient, false)->Name("conv2d/weight_gradient")->Apply(layers);
BENCHMARK_TEMPLATE(forward, true)->Name("depthwise/forward")->Apply(depthwise);
BENCHMARK_TEMPLATE(data_gradient, true)->Name("depthwise/data_gradient")->Apply(depthwise);
BENCHMARK_TEMPLATE(weight_gradient, true)->Name("depthwise/weight_gradient")->Apply(depthwise);
BENCHMARK_TEMPLATE(forward, true)->Name("dilated_or_grouped/forward")->Apply(dilated);
BENCHMARK_TEMPLATE(weight_gradient, true)->Name("dilated_or_grouped/weight_gradient")->Apply(dilated);
BENCHMARK_TEMPLATE(data_gradient, false)->Name("transposed_conv/forward")->Apply(up);
BENCHMARK_TEMPLATE(forward, false)->Name("transposed_conv/data_gradient")->Apply(up);
BENCHMARK_TEMPLATE(weight_gradient, false)->Name("transposed_conv/weight_gradient")->Apply(up);

}  // namespace
