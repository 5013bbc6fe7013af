/// The ops that move memory: activations, normalisation, pooling, up-sampling, sums. Read bytes/s against machine/copy.
#include <array>
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/core/rng.hpp"
#include "nucdet/ops/activation.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/norm.hpp"
#include "nucdet/ops/pool.hpp"
#include "nucdet/ops/resize.hpp"

#include "support/counters.hpp"

namespace {

using namespace nucdet;

/// Arrays for an op from `in` to `out`; ranges: channels, size, threads.
struct Arrays {
  Context<Cpu> context;
  Shape in, out;
  std::vector<float> x, y;

  Arrays(const benchmark::State& state, Index divide = 1, Index multiply = 1)
      : context({.threads = static_cast<int>(state.range(2))}),
        in{1, state.range(1), state.range(1), state.range(0)},
        out{1, in.h / divide * multiply, in.w / divide * multiply, in.c},
        x(static_cast<std::size_t>(in.count())),
        y(static_cast<std::size_t>(out.count()), 0.0f) {
    RandomStream random{1};
    for (float& v : x) v = static_cast<float>(random.uniform(-3, 3));
  }
  View<const float> from() const { return {x.data(), in}; }
  View<float> to() { return {y.data(), out}; }
  /// bytes: every input read and every output written once.
  void count(benchmark::State& state, double reads, double writes = 1) const {
    nucdet_bench::set_cost(state, 0,
                           4 * (reads * static_cast<double>(in.count()) + writes * static_cast<double>(out.count())));
  }
};

template <class F>
void activate(benchmark::State& state) {
  Arrays a(state);
  for (auto _ : state) ops::activate<float>(a.context, F{}, a.from(), a.to());
  a.count(state, 1);
}
void add(benchmark::State& state) {
  Arrays a(state), b(state);
  const std::array<View<const float>, 2> terms{a.from(), b.from()};
  for (auto _ : state) ops::add<float>(a.context, std::span<const View<const float>>(terms), a.to());
  a.count(state, 2);
}
void norm_statistics(benchmark::State& state) {
  Arrays a(state);
  std::vector<float> mean(static_cast<std::size_t>(a.in.c)), inverse(mean.size());
  for (auto _ : state)
    ops::norm_statistics<float>(a.context, a.from(), 1, 1e-5, mean.data(), inverse.data(),
                                static_cast<float*>(nullptr));
  a.count(state, 2, 0);  // the mean, then the distances to it
}
void normalize(benchmark::State& state) {
  Arrays a(state);
  const std::vector<float> ones(static_cast<std::size_t>(a.in.c), 1.0f);
  for (auto _ : state)
    ops::normalize<float>(a.context, a.from(), 1, ones.data(), ones.data(), ones.data(), ones.data(), a.to());
  a.count(state, 1);
}
void norm_gradient(benchmark::State& state) {
  Arrays a(state), dy(state);
  const std::vector<float> ones(static_cast<std::size_t>(a.in.c), 1.0f);
  std::vector<float> dgamma(ones.size()), dbeta(ones.size());
  for (auto _ : state)
    ops::normalize_gradient<float>(a.context, a.from(), dy.from(), 1, ones.data(), ones.data(), ones.data(),
                                   ones.data(), true, a.to(), dgamma.data(), dbeta.data());
  a.count(state, 4);  // sums, then the gradient
}
void max_pool(benchmark::State& state) {
  Arrays a(state, 2);
  for (auto _ : state) ops::max_pool<float>(a.context, a.from(), 2, 2, a.to());
  a.count(state, 1);
}
void average_pool(benchmark::State& state) {
  Arrays a(state, 2);
  for (auto _ : state) ops::average_pool<float>(a.context, a.from(), 2, 2, a.to());
  a.count(state, 1);
}
void nearest(benchmark::State& state) {
  Arrays a(state, 1, 2);
  for (auto _ : state) ops::upsample_nearest<float>(a.context, a.from(), 2, a.to());
  a.count(state, 1);
}
void bilinear(benchmark::State& state) {
  Arrays a(state, 1, 2);
  for (auto _ : state) ops::upsample_bilinear<float>(a.context, a.from(), 2, a.to());
  a.count(state, 1);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "size", "threads"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  for (const int threads : {1, 2}) b->Args({32, 512, threads})->Args({128, 64, threads});
}

BENCHMARK_TEMPLATE(activate, ops::Elu)->Name("activation/elu")->Apply(sizes);
BENCHMARK_TEMPLATE(activate, ops::Relu)->Name("activation/relu")->Apply(sizes);
BENCHMARK_TEMPLATE(activate, ops::Sigmoid)->Name("activation/sigmoid")->Apply(sizes);
BENCHMARK(add)->Name("add/two")->Apply(sizes);
BENCHMARK(norm_statistics)->Name("norm/statistics")->Apply(sizes);
BENCHMARK(normalize)->Name("norm/normalize")->Apply(sizes);
BENCHMARK(norm_gradient)->Name("norm/gradient")->Apply(sizes);
BENCHMARK(max_pool)->Name("pool/maximum")->Apply(sizes);
BENCHMARK(average_pool)->Name("pool/average")->Apply(sizes);
BENCHMARK(nearest)->Name("upsample/nearest")->Apply(sizes);
BENCHMARK(bilinear)->Name("upsample/bilinear")->Apply(sizes);

}  // namespace
