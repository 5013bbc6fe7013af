#include <atomic>
#include <numeric>

#include "nucdet/core/context.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("every chunk runs once, by a worker of the team") {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (const Index chunks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(chunks));
      std::atomic<bool> known{true};
      pool.run(chunks, [&](Index chunk, int worker) {
        ++seen[static_cast<std::size_t>(chunk)];
        if (worker < 0 || worker >= threads) known = false;
      });
      CHECK(known);
      CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& count) { return count == 1; }));
    }
  }
  CHECK(ThreadPool(0).size() >= 1);
}

TEST_CASE("a call from inside a chunk runs in place, as the same worker") {
  ThreadPool pool(3);
  std::atomic<int> inner{0};
  std::atomic<bool> same{true};
  pool.run(20, [&](Index, int worker) {
    pool.run(10, [&](Index, int mine) {
      ++inner;
      if (mine != worker) same = false;
    });
  });
  CHECK(inner == 200);
  CHECK(same);
}

TEST_CASE("an exception reaches the caller, and the team works on") {
  ThreadPool pool(4);
  for (int round = 0; round < 20; ++round) {
    CHECK_THROWS_WITH(pool.run(100,
                               [&](Index chunk, int) {
                                 if (chunk == 37) throw Error("chunk 37");
                               }),
                      "chunk 37");
    std::atomic<Index> sum{0};
    pool.run(100, [&](Index chunk, int) { sum += chunk; });
    CHECK(sum == 4950);
  }
}

TEST_CASE("two threads may use one team in turn") {
  ThreadPool pool(2);
  std::atomic<Index> sum{0};
  const auto work = [&] {
    for (int i = 0; i < 200; ++i) pool.run(5, [&](Index chunk, int) { sum += chunk; });
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(sum == 2 * 200 * 10);
}
