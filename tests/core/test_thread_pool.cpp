#include <atomic>
#include <cmath>
#include <future>
#include <numeric>
#include <thread>

#include "nucdet/core/context.hpp"
#include "nucdet/core/thread_pool.hpp"
#include "nucdet/exec/reduce.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("every chunk runs once, by a worker of the team") {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.workers() == threads);
    for (const Index chunks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(chunks));
      std::atomic<bool> known{true};
      run_chunks(pool, chunks, [&](Index chunk, int worker) {
        ++seen[static_cast<std::size_t>(chunk)];
        if (worker < 0 || worker >= threads) known = false;
      });
      CHECK(known);
      CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& count) { return count == 1; }));
    }
  }
  CHECK(ThreadPool(0).workers() >= 1);
}

TEST_CASE("a call from inside a chunk runs in place, as the same worker") {
  ThreadPool pool(3);
  std::atomic<int> inner{0};
  std::atomic<bool> same{true};
  run_chunks(pool, 20, [&](Index, int worker) {
    run_chunks(pool, 10, [&](Index, int mine) {
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
    CHECK_THROWS_WITH(run_chunks(pool, 100,
                                 [&](Index chunk, int) {
                                   if (chunk == 37) throw Error("chunk 37");
                                 }),
                      "chunk 37");
    std::atomic<Index> sum{0};
    run_chunks(pool, 100, [&](Index chunk, int) { sum += chunk; });
    CHECK(sum == 4950);
  }
}

TEST_CASE("threads that share a team do all of their work, at once") {
  ThreadPool pool(3);
  constexpr int kCallers = 4, kRounds = 200;
  std::vector<Index> sums(kCallers, 0);
  std::atomic<bool> known{true};
  std::vector<std::thread> callers;
  for (Index& sum : sums)
    callers.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        std::vector<Index> of_worker(3, 0);  // scratch of one call: no two workers of it meet
        run_chunks(pool, 16, [&](Index chunk, int worker) {
          if (worker < 0 || worker >= 3) known = false;
          of_worker[static_cast<std::size_t>(worker)] += chunk;
        });
        sum += std::accumulate(of_worker.begin(), of_worker.end(), Index{0});
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(known);
  for (const Index sum : sums) CHECK(sum == kRounds * 120);
}

TEST_CASE("a caller that finds the team busy does not wait for it") {
  ThreadPool pool(2);
  std::atomic<bool> begun{false}, released{false};
  std::thread first([&] {
    run_chunks(pool, 2, [&](Index, int) {
      begun = true;
      while (!released) std::this_thread::yield();
    });
  });
  while (!begun) std::this_thread::yield();
  Index sum = 0;
  run_chunks(pool, 10, [&](Index chunk, int worker) { sum += worker == 0 ? chunk : 1000; });  // by this thread alone
  CHECK(sum == 45);
  released = true;
  first.join();
}

TEST_CASE("one context serves several threads") {
  Context<Cpu> context({.threads = 2});
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (Index i = 1; i < 100; ++i) {
        Tensor<Cpu> t = context.make({1, i, 3, 4});
        const auto scratch = context.scratch<float>(i);
        const View<float> v = t.view<float>();
        exec::parallel_for(context, t.shape(), [&](const exec::Tile& tile) {
          for (Index x = 0; x < 3; ++x)
            for (Index c = 0; c < 4; ++c) v(0, tile.y, x, c) = static_cast<float>(caller);
        });
        context.run(i, [&](Index chunk, int worker) { scratch[worker][chunk] = static_cast<float>(caller); });
        for (Index k = 0; k < t.shape().count(); ++k) wrong += v.data[k] == static_cast<float>(caller) ? 0 : 1;
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
  CHECK(context.memory().statistics().in_use == 0);
}

namespace {

/// A host program's own way to have threads, as an executor.
class AsyncExecutor final : public Executor {
 public:
  int workers() const override { return 3; }
  void run(Index chunks, Chunk chunk, void* work) override {
    std::atomic<Index> next{0};
    const auto part = [&](int worker) {
      for (Index i = next++; i < chunks; i = next++) chunk(work, i, worker);
    };
    std::vector<std::future<void>> others;
    for (int worker = 1; worker < workers(); ++worker) others.push_back(std::async(std::launch::async, part, worker));
    part(0);
  }  // the futures wait
};

double sum_of_roots(Context<Cpu>& context) {
  double sum = 0;
  exec::reduce_rows<1>(
      context, {1, 300, 200, 3},
      [](const exec::Tile& tile, double* sums) {
        for (Index i = 1; i <= 600; ++i) sums[0] += std::sqrt(static_cast<double>(tile.y * 600 + i));
      },
      &sum);
  return sum;
}

}  // namespace

TEST_CASE("any executor gives the same bits, nests, and hands on exceptions") {
  Context<Cpu> own({.threads = 2});
  const double wanted = sum_of_roots(own);
  for (const std::shared_ptr<Executor>& executor : {std::shared_ptr<Executor>(std::make_shared<AsyncExecutor>()),
                                                    std::shared_ptr<Executor>(std::make_shared<SerialExecutor>()),
                                                    std::shared_ptr<Executor>(std::make_shared<ThreadPool>(5))}) {
    Context<Cpu> context({.executor = executor}), second({.executor = executor});
    CHECK(context.threads() == executor->workers());
    CHECK(sum_of_roots(context) == wanted);
    CHECK(sum_of_roots(second) == wanted);
    std::atomic<int> inner{0};
    std::atomic<bool> same{true};
    context.run(7, [&](Index, int worker) {
      context.run(5, [&](Index, int mine) { ++inner, same = same && mine == worker; });
    });
    CHECK(inner == 35);
    CHECK(same);
    CHECK_THROWS_WITH(context.run(50,
                                  [](Index chunk, int) {
                                    if (chunk == 7) throw Error("chunk 7");
                                  }),
                      "chunk 7");
    CHECK(sum_of_roots(context) == wanted);
  }
  CHECK_THROWS_WITH(Context<Cpu>({.threads = 2, .executor = std::make_shared<SerialExecutor>()}),
                    "Context: 2 threads and an executor, wanted one of them");
}
