// Reflection against a row written out by hand.
#include "nucdet/data/pad.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

TEST_CASE("pad: an axis of three pixels, written out") {
  // ... 0 1 2 | 2 1 0 | 0 1 2 | 2 1 0 | 0 1 2 ...
  constexpr int wanted[] = {0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2};
  for (Index i = -6; i < 9; ++i) {
    CHECK(reflect(i, Index{3}) == wanted[i + 6]);
    CHECK(reflect(static_cast<double>(i), 3.0) == wanted[i + 6]);
  }
  CHECK(reflect(2.5, 3.0) == 2.5);  // the mirrors
  CHECK(reflect(-0.5, 3.0) == -0.5);
  CHECK(reflect(2.75, 3.0) == 2.25);
  CHECK(reflect(-0.75, 3.0) == -0.25);
  CHECK(mirrored(2.25, 1, 3) == 2.75);
  CHECK(mirrored(0.25, -1, 3) == -1.25);
  CHECK(mirrored(0.25, 2, 3) == 6.25);
}

TEST_CASE("pad: any window of any image of a batch holds the mirrored pixels, on any number of threads") {
  const Shape shape{2, 4, 3, 2};
  std::vector<float> x(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  // Whole pictures laid side by side, every second one turned over.
  const auto tiled = [&](Index n, Index y, Index down, Index i, Index right, Index c) {
    const Index row = down % 2 == 0 ? y : shape.h - 1 - y, column = right % 2 == 0 ? i : shape.w - 1 - i;
    return x[static_cast<std::size_t>(((n * shape.h + row) * shape.w + column) * shape.c + c)];
  };
  for (const int threads : {1, 2, 5}) {
    Context<Cpu> context({.threads = threads});
    for (const Index top : {-8, -3, 0, 2})
      for (const Index left : {-6, -1, 0, 5}) {
        std::vector<float> y(2 * 9 * 8 * 2, -1.0f);
        copy_reflected(context, {x.data(), shape}, top, left, {y.data(), {2, 9, 8, 2}});
        std::size_t wrong = 0, at = 0;
        for (Index n = 0; n < 2; ++n)
          for (Index v = top + 8; v < top + 17; ++v)  // 8 rows and 6 columns are two pictures each: no negative numbers
            for (Index u = left + 6; u < left + 14; ++u)
              for (Index c = 0; c < 2; ++c) wrong += y[at++] == tiled(n, v % 4, v / 4, u % 3, u / 3, c) ? 0 : 1;
        INFO("window at row " << top << ", column " << left);
        CHECK(wrong == 0);
      }
    std::vector<float> y(9);
    CHECK_THROWS_AS(copy_reflected(context, {x.data(), shape}, 0, 0, {y.data(), {1, 3, 3, 1}}), ShapeError);
  }
}

TEST_CASE("pad: sizes are rounded up to a multiple") {
  static_assert(round_up(0, 16) == 0 && round_up(1, 16) == 16 && round_up(16, 16) == 16 && round_up(17, 16) == 32);
  static_assert(reflect(Index{-1}, Index{1}) == 0 && reflect(Index{5}, Index{1}) == 0);
  CHECK(round_up(513, 8) == 520);
}
