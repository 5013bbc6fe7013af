// The executors of a CUDA device against the CPU's, through ops that use each of them.
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/exec/launch_shape.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/conv2d.hpp"
#include "nucdet/ops/match_size.hpp"
#include "nucdet/ops/norm.hpp"
#include "nucdet/optim/clip.hpp"

#include "cuda/support/device_arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr Shape kShapes[] = {{1, 1, 1, 1}, {2, 5, 7, 3}, {1, 13, 40, 17}, {2, 9, 11, 4}, {1, 3, 5, 64}, {3, 8, 8, 130}};

static_assert(exec::blocks_for(0) == 1 && exec::blocks_for(256) == 1 && exec::blocks_for(257) == 2 &&
              exec::blocks_for(Index{1} << 40) == 65536);
static_assert(exec::ColumnCut::of(1, 1).strips == 1 && exec::ColumnCut::of(1 << 24, 32).strips == 1024);
static_assert(exec::ColumnCut::of(100, 130).columns * exec::ColumnCut::of(100, 130).across *
                  exec::ColumnCut::of(100, 130).each >=
              130);
static_assert(exec::ColumnCut::of(100, 512).across * exec::ColumnCut::of(100, 512).down == exec::kBlockThreads);

}  // namespace

TEST_CASE("cuda: parallel_for gives every element to one thread") {
  Context<Cuda> gpu;
  Context<Cpu> cpu({.threads = 1});
  for (const Shape& s : kShapes) {
    const auto numbers = random_numbers(s.count(), 1);
    const Shape larger{s.n, s.h + 3, s.w + 2, s.c};
    const auto x = on_device<float>(gpu, s, numbers);
    auto y = gpu.make(larger);
    ops::match_size<float>(gpu, x.view<const float>(), y.view<float>());
    auto wanted = cpu.make(larger);
    ops::match_size<float>(cpu, on_device<float>(cpu, s, numbers).view<const float>(), wanted.view<float>());
    CHECK(numbers_of(gpu, y) == numbers_of(cpu, wanted));
  }
}

TEST_CASE("cuda: runs are the same dense, in slices at multiples of 16 bytes, and in slices at odd places") {
  Context<Cuda> gpu;
  for (const Shape& s : kShapes) {
    const auto a = random_numbers(s.count(), 1), b = random_numbers(s.count(), 2);
    std::vector<double> sum(a.size());
    for (std::size_t i = 0; i < a.size(); ++i)
      sum[i] = static_cast<double>(static_cast<float>(a[i]) + static_cast<float>(b[i]));
    const auto x = on_device<float>(gpu, s, a), y = on_device<float>(gpu, s, b);
    for (const Index first : {Index{0}, Index{4}, Index{3}}) {
      auto whole = gpu.zeros({s.n, s.h + 2, s.w + 1, s.c + (first == 0 ? 0 : 8)});
      auto part = whole.window(1, 0, s.h, s.w).channels(first, s.c);
      const View<const float> terms[] = {x.view<const float>(), y.view<const float>()};
      ops::add<float>(gpu, terms, part.view<float>());
      auto dense = gpu.make(s);
      ops::copy<float>(gpu, std::as_const(part).view<const float>(), dense.view<float>());
      CHECK(numbers_of(gpu, dense) == sum);
      double total = 0, all = 0;
      for (const double v : sum) total += std::abs(v);
      for (const double v : numbers_of(gpu, whole)) all += std::abs(v);
      CHECK(all == Approx(total));  // nothing around the slice was touched
      ops::accumulate<float>(gpu, x.view<const float>(), part.view<float>());
      ops::copy<float>(gpu, std::as_const(part).view<const float>(), dense.view<float>());
      const auto found = numbers_of(gpu, dense);
      for (std::size_t i = 0; i < a.size(); ++i)
        CHECK(found[i] == static_cast<double>(static_cast<float>(sum[i]) + static_cast<float>(a[i])));
    }
  }
}

TEST_CASE("cuda: sums by channel and by image, and the same bits each time") {
  Context<Cuda> gpu;
  Context<Cpu> cpu({.threads = 1});
  for (const Shape& s :
       {Shape{1, 1, 1, 1}, {2, 5, 7, 3}, {2, 60, 70, 4}, {1, 90, 50, 130}, {4, 3, 2, 512}, {2, 300, 200, 1}})
    for (const Index groups : {Index{1}, s.n}) {
      auto numbers = random_numbers(s.count(), 3);
      for (double& v : numbers) v = 2 * v + 10;
      const std::size_t size = static_cast<std::size_t>(groups * s.c);
      const auto run = [&](auto& context) {
        using D = std::conditional_t<std::is_same_v<decltype(context), Context<Cuda>&>, Cuda, Cpu>;
        const auto x = on_device<float>(context, s, numbers);
        const DeviceArray<float, D> found(context, 3 * size);
        float* const p = found.data();
        ops::norm_statistics<float>(context, x.template view<const float>(), groups, 1e-5, p, p + size, p + 2 * size);
        const auto values = found.read(context);
        return std::vector<double>(values.begin(), values.end());
      };
      const auto on_gpu = run(gpu), on_cpu = run(cpu);
      CHECK(difference({on_gpu.begin(), on_gpu.begin() + static_cast<std::ptrdiff_t>(size)},
                       {on_cpu.begin(), on_cpu.begin() + static_cast<std::ptrdiff_t>(size)}) < kReduction);
      CHECK(difference({on_gpu.begin() + static_cast<std::ptrdiff_t>(2 * size), on_gpu.end()},
                       {on_cpu.begin() + static_cast<std::ptrdiff_t>(2 * size), on_cpu.end()}) < kReduction);
      CHECK(run(gpu) == on_gpu);
    }
  for (const Index count : {1, 4095, 4097, 100'003}) {
    const auto numbers = random_numbers(count, 4);
    std::vector<float> host(numbers.begin(), numbers.end());
    const DeviceArray<float, Cuda> array(gpu, host.data(), host.size());
    const double norm = optim::gradient_norm(gpu, std::span<const float>(array.data(), array.size()));
    CHECK(norm == Approx(optim::gradient_norm(cpu, std::span<const float>(host))).epsilon(1e-12));
  }
}

TEST_CASE("cuda: selected items come in row-major order, however many") {
  Context<Cuda> gpu;
  Context<Cpu> cpu({.threads = 2});
  for (const auto& [height, width, radius] :
       {std::array<Index, 3>{1, 1, 1}, {7, 300, 1}, {150, 131, 1}, {150, 131, 5}}) {
    auto numbers = random_numbers(height * width, 9);
    for (double& v : numbers) v = std::round(8 * (v + 1)) / 4;  // plateaus
    const Shape s{1, height, width, 1};
    const detect::LocalMaxima settings{.radius = radius, .absolute = 0.5f};
    const auto map = on_device<float>(gpu, s, numbers);
    const auto found = detect::find_peaks(gpu, map.view<const float>(), settings);
    const auto wanted = detect::find_peaks(cpu, on_device<float>(cpu, s, numbers).view<const float>(), settings);
    REQUIRE(found.size() == wanted.size());
    bool same = true;
    for (std::size_t i = 0; i < found.size(); ++i)
      same = same && found[i].score == wanted[i].score && squared_distance(found[i].centre, wanted[i].centre) < 1e-20;
    CHECK(same);
    if (height > 1 && radius == 1 && width == 131) CHECK(found.size() > 1024);  // more than come down at once
  }
  std::vector<double> bad(100, 1.0);
  bad[55] = NAN;
  const auto map = on_device<float>(gpu, {1, 10, 10, 1}, bad);
  CHECK_THROWS_WITH(detect::find_peaks(gpu, map.view<const float>(), {}), Catch::Matchers::Contains("(5, 5) is nan"));
}
