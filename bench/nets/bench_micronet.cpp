/// A whole MicroNet: forward, as trained and fused for inference, and a training step.
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/micronet.hpp"

#include "passes.hpp"

namespace {

using namespace nucdet;
using loss::WeightedSquaredError;
using nucdet_bench::forward, nucdet_bench::training_step;

template <int Base>
using Net = nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = Base}>, 3, Cpu>;

void images(benchmark::internal::Benchmark* b) {
  b->ArgNames({"size", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  b->Args({200, 1})->Args({200, 2})->Args({512, 1})->Args({512, 2});
}
void batches(benchmark::internal::Benchmark* b) {
  b->ArgNames({"batch", "size", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  b->Args({4, 200, 1})->Args({4, 200, 2});
}

BENCHMARK_TEMPLATE(forward, Net<8>, true)->Name("micronet8/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(forward, Net<8>, false)->Name("micronet8/forward")->Apply(images);
BENCHMARK_TEMPLATE(forward, Net<32>, true)->Name("micronet32/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(forward, Net<32>, false)->Name("micronet32/forward")->Apply(images);
BENCHMARK_TEMPLATE(training_step, Net<8>, WeightedSquaredError)->Name("micronet8/training_step")->Apply(batches);
BENCHMARK_TEMPLATE(training_step, Net<32>, WeightedSquaredError)->Name("micronet32/training_step")->Apply(batches);

}  // namespace
