/// From response maps to points: peaks, regions and blurring. bench/peers/around.py compares the first with SciPy.
#include <cmath>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/core/rng.hpp"
#include "nucdet/detect/component_centroids.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/detect/smooth.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render.hpp"

namespace {

using namespace nucdet;

/// What a network answers: cones of height 5 at 3000 nuclei a megapixel, with a little noise everywhere.
std::vector<float> response(Index size) {
  Context<Cpu> context({.threads = 1});
  RandomStream random{1};
  std::vector<Point> points;
  for (Index i = 0; i < size * size * 3 / 1000; ++i)
    points.push_back({random.uniform(0, static_cast<double>(size)), random.uniform(0, static_cast<double>(size))});
  std::vector<float> map(static_cast<std::size_t>(size * size));
  label::render(context, label::ProximityMap{}, points, View<float>(map.data(), {1, size, size, 1}));
  for (float& v : map) v = 5 * v + static_cast<float>(random.uniform(-0.05, 0.05));
  return map;
}

/// Hard for the window check: a quarter of the pixels beat their neighbours, and one is a peak.
std::vector<float> rising_dots(Index size) {
  std::vector<float> map(static_cast<std::size_t>(size * size), 0.0f);
  for (Index y = 0; y < size; y += 2)
    for (Index x = 0; x < size; x += 2) map[static_cast<std::size_t>(y * size + x)] = static_cast<float>(y * size + x);
  return map;
}

std::vector<float> flat(Index size) { return std::vector<float>(static_cast<std::size_t>(size * size), 1.0f); }

/// items: pixels; bytes: the map, read once.
void count(benchmark::State& state, Index size, Index maps = 1) {
  state.SetItemsProcessed(state.iterations() * size * size);
  state.SetBytesProcessed(state.iterations() * size * size * maps * static_cast<Index>(sizeof(float)));
}

template <std::vector<float> (*make)(Index)>
void peaks(benchmark::State& state) {
  const Index size = state.range(0);
  Context<Cpu> context({.threads = static_cast<int>(state.range(1))});
  const std::vector<float> map = make(size);
  std::size_t found = 0;
  for (auto _ : state)
    found = detect::find_peaks(context, View<const float>(map.data(), {1, size, size, 1}), {.absolute = 0.2f}).size();
  state.counters["found"] = static_cast<double>(found);
  count(state, size);
}

void regions(benchmark::State& state) {
  const Index size = state.range(0);
  const std::vector<float> map = response(size);
  for (auto _ : state)
    benchmark::DoNotOptimize(detect::ComponentCentroids{.threshold = 2.5f}({map.data(), {1, size, size, 1}}));
  count(state, size);
}

/// bytes: one map read, one written.
void blur(benchmark::State& state) {
  const Index size = state.range(0);
  Context<Cpu> context({.threads = static_cast<int>(state.range(1))});
  const std::vector<float> map = response(size);
  std::vector<float> out(map.size());
  for (auto _ : state) {
    detect::smooth(context, {map.data(), {1, size, size, 1}}, 2.0, {out.data(), {1, size, size, 1}});
    benchmark::ClobberMemory();
  }
  count(state, size, 2);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"size", "threads"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  b->Args({250, 1})->Args({1000, 1})->Args({1000, 2})->Args({4000, 2});
}

BENCHMARK_TEMPLATE(peaks, response)->Name("peaks/response")->Apply(sizes);
BENCHMARK_TEMPLATE(peaks, flat)->Name("peaks/flat")->Apply(sizes);
BENCHMARK_TEMPLATE(peaks, rising_dots)->Name("peaks/rising_dots")->Apply(sizes);
BENCHMARK(regions)->ArgName("size")->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(blur)->Name("smooth/sigma2")->Apply(sizes);

}  // namespace
