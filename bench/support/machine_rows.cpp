/// Rows machine/... of every bench program: the ceilings that its other rows are read against.
#include <algorithm>
#include <thread>

#include "support/counters.hpp"
#include "support/machine.hpp"

namespace {

using namespace nucdet_bench;

void multiply_add(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  for (auto _ : state) state.SetIterationTime(MultiplyAdd::run(threads));
  set_cost(state, MultiplyAdd::flop(threads), 0);
}

void copy(benchmark::State& state) {
  const Copy buffers;
  for (auto _ : state) state.SetIterationTime(buffers.run(static_cast<int>(state.range(0))));
  set_cost(state, 0, Copy::bytes());
}

const int kHardware = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));

BENCHMARK(multiply_add)->Name("machine/multiply_add/threads")->Arg(1)->Arg(kHardware)->UseManualTime();
BENCHMARK(copy)->Name("machine/copy/threads")->Arg(1)->Arg(kHardware)->UseManualTime();

}  // namespace
