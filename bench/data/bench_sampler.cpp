/// What training draws on the fly: augmented crops, and synthetic tissue.
#include <benchmark/benchmark.h>

#include "nucdet/data/sampler.hpp"
#include "nucdet/data/synthetic_tissue.hpp"

namespace {

using namespace nucdet;

/// A batch of 4 crops of 200x200 with every augmentation; items: crops. Range: threads.
void draw(benchmark::State& state) {
  Context<Cpu> context({.threads = static_cast<int>(state.range(0))});
  data::Dataset set;
  const auto made = data::synthesize({.height = 512, .width = 512});
  set.push_back(data::make_sample(context, made.image, made.points, 1.0, "tissue"));
  const data::CropSampler sampler{.crop = 200, .batch = 4};
  Tensor<Cpu> images = context.make({4, 200, 200, 3});
  std::vector<AnnotatedPoints> points;
  std::int64_t iteration = 0;
  for (auto _ : state) sampler.draw(context, set, iteration++, images.view<float>(), points);
  state.SetItemsProcessed(4 * state.iterations());
}
BENCHMARK(draw)->Name("sampler/draw")->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

/// items: pixels.
void synthesize(benchmark::State& state) {
  std::uint64_t seed = 0;
  for (auto _ : state) benchmark::DoNotOptimize(data::synthesize({.height = 256, .width = 256, .seed = seed++}));
  state.SetItemsProcessed(256 * 256 * state.iterations());
}
BENCHMARK(synthesize)->Name("synthetic_tissue/256x256")->Unit(benchmark::kMillisecond);

}  // namespace
