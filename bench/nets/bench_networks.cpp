/// The paper's other networks at a quarter of their width: a forward pass fused for inference, and a training step.
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/fcn.hpp"
#include "nucdet/nets/fcrn.hpp"
#include "nucdet/nets/frcn.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nets/unet.hpp"

#include "passes.hpp"

namespace {

using namespace nucdet;
using loss::CrossEntropy, loss::WeightedSquaredError;
using nucdet_bench::forward, nucdet_bench::training_step;

template <nn::Spec S>
using Net = nn::Network<S, 3, Cpu>;
using Frcn = Net<nn::Frcn<nn::FrcnOptions{.base = 8}>>;
using FcrnA = Net<nn::FcrnA<nn::FcrnOptions{.base = 8}>>;
using FcrnBReading = Net<nn::FcrnB<nn::FcrnOptions{.base = 8}>>;
using UNet = Net<nn::UNet<nn::UNetOptions{.base = 16, .norm = true}>>;
using Fcn8s = Net<nn::Fcn8s<nn::FcnOptions{.base = 16, .hidden = 1024, .norm = true}>>;
using MicroNetLite = Net<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = 8}>>;

void images(benchmark::internal::Benchmark* b) {
  b->ArgNames({"size", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime()->Args({256, 1})->Args({256, 2});
}
void batches(benchmark::internal::Benchmark* b) {
  b->ArgNames({"batch", "size", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  b->Args({4, 200, 1})->Args({4, 200, 2});
}

BENCHMARK_TEMPLATE(forward, Frcn, true)->Name("frcn8/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(forward, FcrnA, true)->Name("fcrn_a8/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(forward, FcrnBReading, true)->Name("fcrn_b8/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(forward, UNet, true)->Name("unet16/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(forward, Fcn8s, true)->Name("fcn8s16/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(forward, MicroNetLite, true)->Name("micronet_lite8/forward_fused")->Apply(images);
BENCHMARK_TEMPLATE(training_step, Frcn, WeightedSquaredError)->Name("frcn8/training_step")->Apply(batches);
BENCHMARK_TEMPLATE(training_step, FcrnA, WeightedSquaredError)->Name("fcrn_a8/training_step")->Apply(batches);
BENCHMARK_TEMPLATE(training_step, FcrnBReading, WeightedSquaredError)->Name("fcrn_b8/training_step")->Apply(batches);
BENCHMARK_TEMPLATE(training_step, UNet, CrossEntropy)->Name("unet16/training_step")->Apply(batches);
BENCHMARK_TEMPLATE(training_step, Fcn8s, CrossEntropy)->Name("fcn8s16/training_step")->Apply(batches);
BENCHMARK_TEMPLATE(training_step, MicroNetLite, WeightedSquaredError)
    ->Name("micronet_lite8/training_step")
    ->Apply(batches);

}  // namespace
