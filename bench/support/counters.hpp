#pragma once
/// Counters that all benches share.
#include <benchmark/benchmark.h>

namespace nucdet_bench {

/// FLOP/s and bytes/s of a loop whose every iteration does `flop` operations and must move at least `bytes` bytes.
/// Rows that run on a team of threads need ->UseRealTime(), or the rates count the caller's CPU time only.
inline void set_cost(benchmark::State& state, double flop, double bytes) {
  using benchmark::Counter;
  if (flop > 0) state.counters["FLOP/s"] = Counter(flop, Counter::kIsIterationInvariantRate);
  if (bytes > 0) state.counters["bytes/s"] = Counter(bytes, Counter::kIsIterationInvariantRate);
}

}  // namespace nucdet_bench
