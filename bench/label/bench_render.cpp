/// Rendering label maps: the library against every pixel times every point.
#include <algorithm>
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/core/context.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render.hpp"

namespace {

using namespace nucdet;

std::vector<Point> scattered(Index count, Index size) {
  RandomStream random{1};
  std::vector<Point> points;
  for (Index i = 0; i < count; ++i)
    points.push_back({random.uniform(0, static_cast<double>(size)), random.uniform(0, static_cast<double>(size))});
  return points;
}

/// items: pixels; bytes: the map, written once.
void count(benchmark::State& state, Index size) {
  state.SetItemsProcessed(state.iterations() * size * size);
  state.SetBytesProcessed(state.iterations() * size * size * static_cast<Index>(sizeof(float)));
}

template <class Profile>
void render(benchmark::State& state) {
  const Index size = state.range(0);
  Context<Cpu> context({.threads = static_cast<int>(state.range(2))});
  const std::vector<Point> points = scattered(state.range(1), size);
  std::vector<float> map(static_cast<std::size_t>(size * size));
  for (auto _ : state) {
    label::render(context, Profile{}, points, View<float>(map.data(), {1, size, size, 1}));
    benchmark::ClobberMemory();
  }
  count(state, size);
}

void brute_force(benchmark::State& state) {
  const Index size = state.range(0);
  const std::vector<Point> points = scattered(state.range(1), size);
  const label::ProximityMap profile{};
  std::vector<float> map(static_cast<std::size_t>(size * size));
  for (auto _ : state) {
    for (Index y = 0; y < size; ++y)
      for (Index x = 0; x < size; ++x) {
        double nearest = 1e30;
        for (const Point& p : points)
          nearest = std::min(nearest, squared_distance(p, {static_cast<double>(x), static_cast<double>(y)}));
        map[static_cast<std::size_t>(y * size + x)] = profile(static_cast<float>(nearest));
      }
    benchmark::ClobberMemory();
  }
  count(state, size);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"size", "points", "threads"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  b->Args({200, 80, 1})->Args({500, 500, 1})->Args({500, 500, 2})->Args({2000, 100, 1})->Args({2000, 8000, 1});
}

BENCHMARK_TEMPLATE(render, label::ProximityMap)->Name("render/proximity")->Apply(sizes);
BENCHMARK_TEMPLATE(render, label::GaussianDensity)->Name("render/gaussian")->Apply(sizes);
BENCHMARK_TEMPLATE(render, label::Disc)->Name("render/disc")->Apply(sizes);
BENCHMARK(brute_force)
    ->Name("render/brute_force")
    ->ArgNames({"size", "points"})
    ->Args({500, 500})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
