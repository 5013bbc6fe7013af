// The executors: who owns what, and that no sum depends on the number of threads.
#include <algorithm>

#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/exec/reduce.hpp"
#include "nucdet/exec/select.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr Shape kGrids[] = {{1, 1, 1, 1}, {2, 7, 5, 3}, {3, 130, 41, 8}, {1, 3, 20000, 2}};

struct Count {
  View<int> counts;
  void operator()(const exec::Tile& t) const {
    for (Index x = t.x0; x < t.x1; ++x)
      for (Index c = t.c0; c < t.c1; ++c) ++counts(t.n, t.y, x, c);
  }
};
struct Sums {
  View<const float> x;
  void operator()(const exec::Tile& t, double* sums) const {
    for (Index i = t.x0; i < t.x1; ++i)
      for (Index c = t.c0; c < t.c1; ++c) {
        const double v = static_cast<double>(x(t.n, t.y, i, c));
        sums[0] += v, sums[1] += v * v;
      }
  }
};
struct ChannelSums {
  View<const float> x;
  void operator()(const exec::Tile& t, const exec::ColumnSums<float>& sums) const {
    for (Index i = t.x0; i < t.x1; ++i)
      for (Index c = t.c0; c < t.c1; ++c) sums(0, c) += x(t.n, t.y, i, c);
  }
};

std::vector<float> floats(const Shape& s) {
  const auto numbers = random_numbers(s.count(), 8);
  return {numbers.begin(), numbers.end()};
}

}  // namespace

TEST_CASE("parallel_for: every element is owned once") {
  for (const Shape& grid : kGrids)
    for (const int threads : {1, 2, 5}) {
      Context<Cpu> context({.threads = threads});
      std::vector<int> counts(static_cast<std::size_t>(grid.count()), 0);
      exec::parallel_for(context, grid, Count{{counts.data(), grid}});
      CHECK(std::all_of(counts.begin(), counts.end(), [](int count) { return count == 1; }));
    }
  Context<Cpu> context({.threads = 2});
  exec::parallel_for(context, Shape{0, 5, 5, 5}, [](const exec::Tile&) { FAIL("an empty grid has no tiles"); });
}

TEST_CASE("sums by image and by channel: right, and the same bits on any number of threads") {
  for (const Shape& grid : kGrids) {
    const std::vector<float> x = floats(grid);
    const View<const float> view(x.data(), grid);
    std::vector<double> rows, columns;
    for (const int threads : {1, 2, 5}) {
      Context<Cpu> context({.threads = threads});
      std::vector<double> by_image(static_cast<std::size_t>(2 * grid.n)),
          by_channel(static_cast<std::size_t>(grid.n * grid.c));
      exec::reduce_rows<2>(context, grid, Sums{view}, by_image.data());
      exec::reduce_columns<float, 1>(context, grid, grid.n, ChannelSums{view}, by_channel.data());
      if (threads == 1) rows = by_image, columns = by_channel;
      CHECK(by_image == rows);
      CHECK(by_channel == columns);
    }
    for (Index n = 0; n < grid.n; ++n) {
      double sum = 0, squares = 0;
      std::vector<double> channels(static_cast<std::size_t>(grid.c), 0.0);
      for (Index i = 0; i < grid.count() / grid.n; ++i) {
        const double v = static_cast<double>(x[static_cast<std::size_t>(n * (grid.count() / grid.n) + i)]);
        sum += v, squares += v * v, channels[static_cast<std::size_t>(i % grid.c)] += v;
      }
      CHECK(rows[static_cast<std::size_t>(2 * n)] == Approx(sum).margin(1e-9));
      CHECK(rows[static_cast<std::size_t>(2 * n + 1)] == Approx(squares));
      for (Index c = 0; c < grid.c; ++c)
        CHECK(columns[static_cast<std::size_t>(n * grid.c + c)] ==
              Approx(channels[static_cast<std::size_t>(c)]).margin(1e-2));
    }
  }
}

TEST_CASE("select: items come in row-major order") {
  const Shape grid{2, 300, 100, 1};
  const std::vector<float> x = floats(grid);
  const View<const float> view(x.data(), grid);
  std::vector<Index> wanted;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] > 0.9f) wanted.push_back(static_cast<Index>(i));
  for (const int threads : {1, 2, 5}) {
    Context<Cpu> context({.threads = threads});
    const auto found = exec::select<Index>(context, grid, [&](const exec::Tile& t, std::vector<Index>& items) {
      for (Index i = t.x0; i < t.x1; ++i)
        if (view(t.n, t.y, i, 0) > 0.9f) items.push_back((t.n * grid.h + t.y) * grid.w + i);
    });
    CHECK(found == wanted);
  }
}
