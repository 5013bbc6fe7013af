/// The loss of a training batch and its gradient, 4 crops of 200x200 and one image of 1024x1024.
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/core/context.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"

namespace {

using namespace nucdet;

/// items: pixels; bytes: prediction, target (twice: for its mean and for the loss) and gradient.
template <class Loss, int Maps>
void evaluate(benchmark::State& state) {
  const Index n = state.range(0), size = state.range(1);
  const Loss loss{};
  Context<Cpu> context({.threads = static_cast<int>(state.range(2))});
  const Shape shape{n, size, size, Maps}, labels{n, size, size, loss.target_maps(Maps)};
  std::vector<float> prediction(static_cast<std::size_t>(shape.count())), gradient(prediction.size());
  std::vector<float> target(static_cast<std::size_t>(labels.count()));
  RandomStream random{1};
  for (float& v : prediction) v = static_cast<float>(random.uniform(0, 5));
  for (float& v : target) v = static_cast<float>(random.uniform());
  for (auto _ : state)
    benchmark::DoNotOptimize(loss::evaluate(context, loss, View<float>(prediction.data(), shape),
                                            View<float>(target.data(), labels), {},
                                            View<float>(gradient.data(), shape)));
  state.SetItemsProcessed(state.iterations() * shape.pixels());
  state.SetBytesProcessed(state.iterations() * 2 * (shape.count() + labels.count()) *
                          static_cast<Index>(sizeof(float)));
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"batch", "size", "threads"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  b->Args({4, 200, 1})->Args({4, 200, 2})->Args({1, 1024, 1})->Args({1, 1024, 2});
}

BENCHMARK_TEMPLATE(evaluate, loss::WeightedSquaredError, 1)->Name("loss/weighted_squared_error")->Apply(sizes);
BENCHMARK_TEMPLATE(evaluate, loss::SquaredError, 1)->Name("loss/squared_error")->Apply(sizes);
BENCHMARK_TEMPLATE(evaluate, loss::CrossEntropy, 2)->Name("loss/cross_entropy")->Apply(sizes);

}  // namespace
