#pragma once
#include <optional>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/loss/evaluate.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"

#include "support/counters.hpp"

/// What is measured of every network: a forward pass, as trained and fused for inference, and a training step.
namespace nucdet_bench {

using namespace nucdet;

inline Tensor<Cpu> random_tensor(Context<Cpu>& context, const Shape& shape, double low, double high) {
  Tensor<Cpu> t = context.make(shape);
  RandomStream random{1};
  float* data = t.view<float>().data;
  for (Index i = 0; i < shape.count(); ++i) data[i] = static_cast<float>(random.uniform(low, high));
  return t;
}

/// ranges: size, threads. FLOP as the field counts them: convolutions only.
template <class Net, bool Fused>
void forward(benchmark::State& state) {
  Context<Cpu> context({.threads = static_cast<int>(state.range(1))});
  const Shape shape{1, state.range(0), state.range(0), 3};
  Tensor<Cpu> x = random_tensor(context, shape, -2, 2);
  std::optional<Net> net(std::in_place, context);
  const double flop = static_cast<double>(net->plan(shape).total_flops());
  std::optional<nn::InferenceProgram<Cpu>> fused;
  if (Fused) fused = nn::for_inference(*net), net.reset();
  context.memory().trim(), context.memory().reset_peak();
  nn::Workspace<Cpu> workspace;
  for (auto _ : state) benchmark::DoNotOptimize(Fused ? fused->forward(context, workspace, x) : net->forward(x));
  set_cost(state, flop, 0);
  state.counters["peak_bytes"] = static_cast<double>(context.memory().statistics().peak);
}

/// Forward, loss, backward and the optimiser; ranges: batch, size, threads. A step is counted as three forward passes.
template <class Net, class Loss>
void training_step(benchmark::State& state) {
  Context<Cpu> context({.threads = static_cast<int>(state.range(2))});
  const Shape shape{state.range(0), state.range(1), state.range(1), 3};
  Net net(context);
  Tensor<Cpu> x = random_tensor(context, shape, -2, 2),
              target = random_tensor(context, {shape.n, shape.h, shape.w, 1}, 0, 1);
  std::vector<optim::Segment> segments;
  for (const nn::ParameterEntry& e : net.parameters()->entries())
    if (!e.statistic) segments.push_back({e.offset, e.count, e.decay, e.frozen});
  const std::size_t count = static_cast<std::size_t>(net.parameters()->values().shape().count());
  std::vector<float> velocity(count, 0.0f);
  std::int64_t iteration = 0;
  for (auto _ : state) {
    nn::Tape<Cpu> tape;
    const Tensor<Cpu> y = net.forward(x, {.mode = nn::Mode::training, .tape = &tape, .iteration = iteration});
    Tensor<Cpu> dy = context.make(y.shape());
    benchmark::DoNotOptimize(loss::evaluate(context, Loss{}, y.template view<const float>(),
                                            std::as_const(target).view<const float>(), {}, dy.view<float>()));
    net.zero_gradients();
    net.backward(dy, tape);
    optim::step(context, optim::Sgd{}, 1e-6, iteration++,
                std::span<float>(net.parameters()->values().template view<float>().data, count),
                std::span<float>(net.parameters()->gradients().template view<float>().data, count), velocity, segments);
  }
  set_cost(state, 3 * static_cast<double>(net.plan(shape).total_flops()), 0);
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(shape.n), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["peak_bytes"] = static_cast<double>(context.memory().statistics().peak);
}

}  // namespace nucdet_bench
