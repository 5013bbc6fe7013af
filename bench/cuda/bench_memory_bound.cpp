/// The GPU's ops that move memory, 4096x4096 pixels of 8 channels; read bytes/s against machine/copy. Times are the
/// device's own, between marks in its stream; the maps are larger than its caches.
#include <benchmark/benchmark.h>

#include "nucdet/core/device_timer.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render_batch.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/ops/activation.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/dropout.hpp"
#include "nucdet/ops/match_size.hpp"
#include "nucdet/ops/norm.hpp"
#include "nucdet/ops/pool.hpp"
#include "nucdet/ops/resize.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/optim/sgd.hpp"

#include "support/counters.hpp"
#include "support/device.hpp"

namespace {

using namespace nucdet;
using nucdet_bench::random_tensor;

constexpr Index kSide = 4096, kChannels = 8;

/// Times work(context, x, y) on maps of type T; passes: how often it must read or write a map.
template <class T, class Work>
void timed(benchmark::State& state, double passes, const Work& work) {
  Context<Cuda> context;
  const Shape shape{1, kSide, kSide, kChannels};
  const Tensor<Cuda> x = random_tensor(context, shape, dtype_of<T>);
  Tensor<Cuda> y = context.make(shape, dtype_of<T>);
  work(context, x, y);
  for (auto _ : state) state.SetIterationTime(1e-3 * milliseconds_of(context, [&] { work(context, x, y); }));
  nucdet_bench::set_cost(state, 0, passes * static_cast<double>(shape.count()) * sizeof(T));
}

template <class T>
void copy(benchmark::State& state) {
  timed<T>(state, 2, [](auto& context, const auto& x, auto& y) {
    ops::copy<T>(context, x.template view<const T>(), y.template view<T>());
  });
}
template <class T>
void elu(benchmark::State& state) {
  timed<T>(state, 2, [](auto& context, const auto& x, auto& y) {
    ops::activate<T>(context, ops::Elu{}, x.template view<const T>(), y.template view<T>());
  });
}
template <class T>
void add_elu(benchmark::State& state) {
  timed<T>(state, 3, [](auto& context, const auto& x, auto& y) {
    ops::add_activate<T>(context, ops::Elu{}, x.template view<const T>(), std::as_const(y).template view<const T>(),
                         y.template view<T>());
  });
}
template <class T>
void dropout(benchmark::State& state) {
  timed<T>(state, 2, [](auto& context, const auto& x, auto& y) {
    ops::channel_dropout<T>(context, x.template view<const T>(), 0.5f, {1, 2}, y.template view<T>());
  });
}
template <class T>
void concat(benchmark::State& state) {
  timed<T>(state, 2, [](auto& context, const auto& x, auto& y) {
    ops::match_size<T>(context, x.template view<const T>(), y.template view<T>());
  });
}
template <class T>
void max_pool(benchmark::State& state) {
  timed<T>(state, 1.25, [](auto& context, const auto& x, auto& y) {
    Tensor<Cuda> half = y.window(0, 0, kSide / 2, kSide / 2);
    ops::max_pool<T>(context, x.template view<const T>(), 2, 2, half.template view<T>());
  });
}
template <class T>
void bilinear(benchmark::State& state) {
  timed<T>(state, 1.25, [](auto& context, const auto& x, auto& y) {
    const Tensor<Cuda> half = x.window(0, 0, kSide / 2, kSide / 2);
    ops::upsample_bilinear<T>(context, half.template view<const T>(), 2, y.template view<T>());
  });
}

struct Statistics {
  DeviceArray<float, Cuda> numbers;
  explicit Statistics(Context<Cuda>& context) {
    const std::vector<float> ones(6 * kChannels, 1.0f);
    numbers = DeviceArray<float, Cuda>(context, ones.data(), ones.size());
  }
  float* at(Index row) const { return numbers.data() + row * kChannels; }
};
template <class T>
void norm_statistics(benchmark::State& state) {
  timed<T>(state, 1, [](auto& context, const auto& x, auto&) {
    const Statistics s(context);
    ops::norm_statistics<T>(context, x.template view<const T>(), 1, 1e-5, s.at(0), s.at(1), s.at(2));
  });
}
template <class T>
void norm_elu(benchmark::State& state) {
  timed<T>(state, 2, [](auto& context, const auto& x, auto& y) {
    const Statistics s(context);
    ops::normalize<T>(context, x.template view<const T>(), 1, s.at(0), s.at(1), s.at(2), s.at(3), y.template view<T>(),
                      ops::Elu{});
  });
}
template <class T>
void norm_elu_gradient(benchmark::State& state) {
  timed<T>(state, 5, [](auto& context, const auto& x, auto& y) {
    const Statistics s(context);
    ops::normalize_gradient<T>(context, x.template view<const T>(), x.template view<const T>(), 1, s.at(0), s.at(1),
                               s.at(2), s.at(3), true, y.template view<T>(), s.at(4), s.at(5), ops::Elu{});
  });
}

void loss_and_gradient(benchmark::State& state) {
  Context<Cuda> context;
  const Shape shape{1, kSide, kSide, 1};
  const Tensor<Cuda> o = random_tensor(context, shape, DType::f32), y = random_tensor(context, shape, DType::f32);
  Tensor<Cuda> g = context.make(shape);
  const DeviceArray<double, Cuda> value(context, 1);
  for (auto _ : state)
    state.SetIterationTime(1e-3 * milliseconds_of(context, [&] {
                             loss::evaluate_into<float>(context, loss::WeightedSquaredError{}, o.view<const float>(),
                                                        y.view<const float>(), nullptr, g.view<float>(), value.data());
                           }));
  nucdet_bench::set_cost(state, 0, 16.0 * static_cast<double>(shape.count()));  // the label is read twice
}

void labels(benchmark::State& state) {
  Context<Cuda> context;
  Tensor<Cuda> maps = context.make({64, 200, 200, 1});
  RandomStream random{1};
  std::vector<AnnotatedPoints> points(64);
  for (auto& list : points)
    for (int k = 0; k < 40; ++k) list.points.push_back({random.uniform(-15, 215), random.uniform(-15, 215)});
  for (auto _ : state)
    state.SetIterationTime(1e-3 * milliseconds_of(context, [&] {
                             label::render_batch(context, label::ProximityMap{},
                                                 std::span<const AnnotatedPoints>(points), maps.view<float>());
                           }));
  state.counters["images/s"] = benchmark::Counter(64, benchmark::Counter::kIsIterationInvariantRate);
}

/// Of 11.7 million weights, those of MicroNet at base 32, times 8, to be larger than the caches.
template <class Rule>
void optimizer(benchmark::State& state) {
  Context<Cuda> context;
  const Index count = 8 * 11'715'840;
  const Tensor<Cuda> all = random_tensor(context, {1, 1, 2 + Rule::states, count}, DType::f32);
  float* const p = reinterpret_cast<float*>(all.memory());
  const std::size_t n = static_cast<std::size_t>(count);
  const optim::SegmentList<Cuda> segments(context, {}, n);
  for (auto _ : state)
    state.SetIterationTime(1e-3 * milliseconds_of(context, [&] {
                             optim::step(context, Rule{}, 1e-6, 5, std::span(p, n), std::span<const float>(p + n, n),
                                         std::span(p + 2 * n, n * Rule::states), segments);
                           }));
  nucdet_bench::set_cost(state, 0, 4.0 * (3 + 2 * Rule::states) * static_cast<double>(count));
}

#define NUCDET_ROWS(work, name)                                                \
  BENCHMARK_TEMPLATE(work, float)->Name("cuda/" name "/f32")->UseManualTime(); \
  BENCHMARK_TEMPLATE(work, bf16)->Name("cuda/" name "/bf16")->UseManualTime();
NUCDET_ROWS(copy, "copy")
NUCDET_ROWS(elu, "elu")
NUCDET_ROWS(add_elu, "add_elu")
NUCDET_ROWS(dropout, "dropout")
NUCDET_ROWS(concat, "match_size")
NUCDET_ROWS(max_pool, "max_pool")
NUCDET_ROWS(bilinear, "upsample_bilinear")
NUCDET_ROWS(norm_statistics, "norm_statistics")
NUCDET_ROWS(norm_elu, "norm_elu")
NUCDET_ROWS(norm_elu_gradient, "norm_elu_gradient")
BENCHMARK(loss_and_gradient)->Name("cuda/loss_and_gradient")->UseManualTime();
BENCHMARK(labels)->Name("cuda/labels/64x200x200")->UseManualTime();
BENCHMARK_TEMPLATE(optimizer, optim::Sgd)->Name("cuda/sgd")->UseManualTime();
BENCHMARK_TEMPLATE(optimizer, optim::Adam)->Name("cuda/adam")->UseManualTime();

}  // namespace
