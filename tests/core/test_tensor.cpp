#include <sstream>

#include "nucdet/core/context.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

TEST_CASE("a view's strides: windows, channels, phases and images are the elements they should be") {
  std::vector<int> memory(2 * 5 * 7 * 3);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<int>(i);
  const View<const int> all(memory.data(), {2, 5, 7, 3});
  const auto index = [](Index n, Index y, Index x, Index c) { return static_cast<int>(((n * 5 + y) * 7 + x) * 3 + c); };
  CHECK(all(1, 4, 6, 2) == index(1, 4, 6, 2));
  CHECK(all.dense());
  const View<const int> window = all.window(1, 2, 3, 4);
  CHECK(window.shape == Shape{2, 3, 4, 3});
  CHECK(window(1, 2, 3, 1) == index(1, 3, 5, 1));
  CHECK_FALSE(window.dense());
  CHECK(all.channels(1, 2)(1, 2, 3, 1) == index(1, 2, 3, 2));
  CHECK(all.image(1)(0, 2, 3, 1) == index(1, 2, 3, 1));
  for (Index s : {1, 2, 3, 8})
    for (Index a = 0; a < s; ++a)
      for (Index b = 0; b < s; ++b) {
        const View<const int> phase = all.phase(a, b, s, s);
        Index rows = 0, columns = 0;
        for (Index y = a; y < 5; y += s) ++rows;
        for (Index x = b; x < 7; x += s) ++columns;
        CHECK(phase.shape == Shape{2, rows, columns, 3});
        if (rows > 0 && columns > 0)
          CHECK(phase(1, rows - 1, columns - 1, 2) == index(1, a + (rows - 1) * s, b + (columns - 1) * s, 2));
      }
}

TEST_CASE("a tensor's handles share memory, slices too, and the element type is checked") {
  Context<Cpu> context({.threads = 1});
  Tensor<Cpu> empty;
  CHECK_FALSE(empty);
  auto t = context.zeros({2, 4, 5, 6});
  CHECK(t);
  CHECK(t.unique());
  {
    Tensor<Cpu> slice = t.channels(2, 3).window(1, 1, 2, 3);
    CHECK_FALSE(t.unique());
    CHECK_FALSE(slice.dense());
    CHECK(slice.shape() == Shape{2, 2, 3, 3});
    slice.view<float>()(1, 1, 2, 0) = 7;
  }
  CHECK(t.unique());
  CHECK(std::as_const(t).view<const float>()(1, 2, 3, 2) == 7);
  CHECK_THROWS_WITH(t.view<double>(), "Tensor: holds f32, asked for f64");
  CHECK_THROWS_AS(t.channels(4, 3), ShapeError);
  CHECK_THROWS_AS(t.window(0, 0, 5, 1), ShapeError);
  CHECK_THROWS_AS(t.window(-1, 0, 1, 1), ShapeError);
}

TEST_CASE("memory returns to the pool and is handed out again, joined with its neighbours") {
  MemoryPool pool;
  constexpr std::size_t kMega = std::size_t{1} << 20;
  const std::byte* first = nullptr;
  {
    const auto a = pool.allocate(3 * kMega);
    first = a.get();
    CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
    CHECK(pool.statistics().in_use == 3 * kMega);
  }
  CHECK(pool.statistics().in_use == 0);
  CHECK(pool.statistics().held == 3 * kMega);
  CHECK(pool.allocate(3 * kMega).get() == first);
  for (std::size_t i = 1; i < 40; ++i) {
    const auto a = pool.allocate(i * 100000), b = pool.allocate(4000000 - i * 100000);
    const auto s = pool.statistics();
    CHECK(s.held <= s.peak);  // freed neighbours join: nothing comes on top of the peak
  }
  pool.trim();
  CHECK(pool.statistics().held == 0);
  pool.reset_peak();
  CHECK(pool.statistics().peak == 0);
  MemoryPool::Block late;
  {
    MemoryPool shorter;
    late = shorter.allocate(100);
  }
  late.get()[99] = std::byte{1};            // a block may outlive the pool that made it
  CHECK((late.get()[99] == std::byte{1}));  // in brackets: Catch2 prints no bytes under clang
}

TEST_CASE("scratch gives each worker its own cache lines") {
  Context<Cpu> context({.threads = 3});
  const auto scratch = context.scratch<float>(5);
  for (int worker = 0; worker < 3; ++worker) {
    CHECK(reinterpret_cast<std::uintptr_t>(scratch[worker]) % 64 == 0);
    if (worker > 0) CHECK(scratch[worker] - scratch[worker - 1] >= 5);
  }
}

TEST_CASE("messages join text, numbers and whatever can be printed") {
  CHECK(message("a ", std::string("b"), ' ', 1, ' ', -2.5, ' ', 1e-7f, ' ', Shape{1, 2, 3, 4}, ' ',
                std::string_view("c")) == "a b 1 -2.5 1e-07 1x2x3x4 c");
  std::ostringstream stream;
  stream << 0.1 << ' ' << 123456789.0 << ' ' << 1e300;
  CHECK(message(0.1, ' ', 123456789.0, ' ', 1e300) == stream.str());  // as a stream prints them
  CHECK_THROWS_AS(throw ShapeError("x"), Error);
  CHECK_THROWS_AS(throw IoError("x"), std::runtime_error);
}

TEST_CASE("the memory of many small blocks serves one large one") {
  MemoryPool pool;
  constexpr std::size_t kMega = std::size_t{1} << 20;
  {
    std::vector<MemoryPool::Block> blocks;
    for (int i = 0; i < 8; ++i) blocks.push_back(pool.allocate(kMega));
    for (const int i : {1, 6, 3, 0, 4, 7, 2, 5}) blocks[static_cast<std::size_t>(i)].reset();  // in any order
  }
  const auto large = pool.allocate(8 * kMega);
  CHECK(pool.statistics().held == 8 * kMega);
  const auto after = pool.allocate(kMega);
  CHECK(pool.statistics().held == 9 * kMega);
}
