/// One optimiser step and one gradient clipping over a flat store of MicroNet's size.
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/core/context.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/optim/clip.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"

namespace {

using namespace nucdet;

/// items: weights; bytes: gradients read, values and state read and written.
template <class Rule>
void step(benchmark::State& state) {
  const std::size_t n = static_cast<std::size_t>(state.range(0));
  Context<Cpu> context({.threads = static_cast<int>(state.range(1))});
  std::vector<float> values(n, 1.0f), gradients(n, 1e-3f), kept(n * Rule::states, 0.0f);
  std::int64_t iteration = 0;
  for (auto _ : state) {
    optim::step(context, Rule{}, 1e-4, iteration++, values, gradients, kept);
    benchmark::ClobberMemory();
  }
  const std::int64_t floats = 3 + 2 * Rule::states;
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * floats * static_cast<std::int64_t>(sizeof(float)));
}

/// Every pass reads the gradients for their norm and scales them.
void clip(benchmark::State& state) {
  const std::size_t n = static_cast<std::size_t>(state.range(0));
  Context<Cpu> context({.threads = static_cast<int>(state.range(1))});
  std::vector<float> gradients(n, 1.0f);
  double limit = optim::gradient_norm(context, gradients);
  for (auto _ : state) benchmark::DoNotOptimize(optim::clip_norm(context, gradients, limit *= 0.999));
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * 3 * static_cast<std::int64_t>(sizeof(float)));
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"weights", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  b->Args({11724705, 1})->Args({11724705, 2});
}

BENCHMARK_TEMPLATE(step, optim::Sgd)->Name("step/sgd")->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::Adam)->Name("step/adam")->Apply(sizes);
BENCHMARK(clip)->Name("clip_norm")->Apply(sizes);

}  // namespace
