/// Matchers on scattered points: dense and sparse tissue, good and hopeless detections.
#include <cmath>
#include <vector>

#include <benchmark/benchmark.h>

#include "nucdet/core/rng.hpp"
#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/match/ungated.hpp"

namespace {

using namespace nucdet;

struct Points {
  std::vector<Point> predicted, truth;
};

std::vector<Point> scattered(Index count, double side, std::uint64_t stream) {
  RandomStream random{1, stream};
  std::vector<Point> points;
  for (Index i = 0; i < count; ++i) points.push_back({random.uniform(0, side), random.uniform(0, side)});
  return points;
}

double side_of(Index count, Index per_megapixel) {
  return 1000.0 * std::sqrt(static_cast<double>(count) / static_cast<double>(per_megapixel));
}

/// Every true point, moved by a Gaussian of 3 pixels an axis: what a good detector finds.
Points close(Index count, Index per_megapixel) {
  Points p{{}, scattered(count, side_of(count, per_megapixel), 1)};
  RandomStream random{2};
  for (const Point& t : p.truth) p.predicted.push_back({t.x + 3 * random.normal(), t.y + 3 * random.normal()});
  return p;
}

/// Points that have nothing to do with each other: long augmenting paths where there are many candidates.
Points unrelated(Index count, Index per_megapixel) {
  const double side = side_of(count, per_megapixel);
  return {scattered(count, side, 2), scattered(count, side, 1)};
}

/// Twice as many detections as nuclei: wherever all nuclei are taken, every search fails.
Points crowded(Index count, Index per_megapixel) {
  const double side = side_of(count, per_megapixel);
  return {scattered(count, side, 2), scattered(count / 2, side, 1)};
}

/// items: predicted points; bytes: both lists, read once.
template <class Matcher, Points (*make)(Index, Index)>
void run(benchmark::State& state) {
  const Points points = make(state.range(0), state.range(1));
  Index hits = 0;
  for (auto _ : state) hits = Matcher{}(points.predicted, points.truth).hits();
  const Index read = static_cast<Index>((points.predicted.size() + points.truth.size()) * sizeof(Point));
  state.counters["hits"] = static_cast<double>(hits);
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * read);
}

void tissue(benchmark::internal::Benchmark* b) {
  b->ArgNames({"points", "per_Mpx"})->Unit(benchmark::kMillisecond);
  b->Args({1000, 500})->Args({100000, 500})->Args({100000, 5000});
}
void small(benchmark::internal::Benchmark* b) {
  b->ArgNames({"points", "per_Mpx"})->Unit(benchmark::kMillisecond)->Args({300, 500})->Args({1000, 500});
}

using match::GreedyMatcher, match::HungarianMatcher, match::UngatedThenFilter;
BENCHMARK_TEMPLATE(run, HungarianMatcher, close)->Name("hungarian/close")->Apply(tissue);
BENCHMARK_TEMPLATE(run, HungarianMatcher, unrelated)->Name("hungarian/unrelated")->Apply(tissue);
BENCHMARK_TEMPLATE(run, HungarianMatcher, crowded)->Name("hungarian/crowded")->Apply(tissue);
BENCHMARK_TEMPLATE(run, GreedyMatcher, close)->Name("greedy/close")->Apply(tissue);
BENCHMARK_TEMPLATE(run, GreedyMatcher, unrelated)->Name("greedy/unrelated")->Apply(tissue);
BENCHMARK_TEMPLATE(run, UngatedThenFilter, close)->Name("ungated/close")->Apply(small);
BENCHMARK_TEMPLATE(run, UngatedThenFilter, unrelated)->Name("ungated/unrelated")->Apply(small);

}  // namespace
