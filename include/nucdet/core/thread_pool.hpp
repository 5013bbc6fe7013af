#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/core/executor.hpp"
#include "nucdet/core/processors.hpp"

namespace nucdet {

/// A fixed team of threads. The calling thread is worker 0 and takes part; which worker runs a chunk is left to chance.
/// Threads that wait sleep, after a moment in which the next work mostly comes: to wake one takes as long as a layer on
/// a small map. Nobody waits for a thread that wakes too late to take a part.
///
/// Thread-safe: a caller that finds the team busy with another's work does its own alone.
class ThreadPool final : public Executor {
 public:
  /// threads <= 0: one for each processor that the process may use. Throws Error if the system has not so many.
  explicit ThreadPool(int threads) {
    const int available = available_processors();
    size_ = threads > 0 ? threads : available;
    may_linger_ = size_ <= available;
    team_.reserve(static_cast<std::size_t>(size_));
    try {
      for (int worker = 1; worker < size_; ++worker) team_.emplace_back([this, worker] { serve(worker); });
    } catch (const std::system_error& error) {
      dismiss();
      throw Error(message("ThreadPool: cannot start ", size_, " threads: ", error.what()));
    }
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() override { dismiss(); }

  int workers() const override { return size_; }

  void run(Index chunks, Chunk chunk, void* work) override {
    if (size_ == 1 || taken_.test_and_set(std::memory_order_acquire)) {
      for (Index i = 0; i < chunks; ++i) chunk(work, i, 0);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      job_ = {chunk, work, chunks}, next_ = 0, open_ = true, ++generation_;
    }
    wake_.notify_all();
    take_part(0);
    {
      const std::lock_guard lock(mutex_);
      open_ = false;
    }
    linger([this] { return busy_ == 0; });
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [this] { return busy_ == 0; });
    }
    taken_.clear(std::memory_order_release);
  }

 private:
  struct Job {
    Chunk chunk = nullptr;
    void* work = nullptr;
    Index chunks = 0;
  };

  void dismiss() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : team_) worker.join();
  }

  void serve(int worker) {
    std::uint64_t seen = 0;
    for (;;) {
      linger([&] { return generation_ != seen; });
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
        if (stop_) return;
        seen = generation_;
        if (!open_) continue;
        ++busy_;
      }
      take_part(worker);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  /// Returns when `ready`, or after a moment. With more threads than processors at once: others need them.
  template <class Ready>
  void linger(const Ready& ready) const {
    if (!may_linger_) return;
    constexpr auto kMoment = std::chrono::microseconds(20);
    const auto end = std::chrono::steady_clock::now() + kMoment;
    while (!ready() && std::chrono::steady_clock::now() < end)
      for (int i = 0; i < 8; ++i) pause();
  }
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  void take_part(int worker) {
    for (Index i = next_++; i < job_.chunks; i = next_++) job_.chunk(job_.work, i, worker);
  }

  int size_ = 1;
  std::atomic_flag taken_;  ///< the team has a caller
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job job_;
  std::atomic<Index> next_{0};
  std::atomic<int> busy_{0};  ///< workers that have begun on the job
  std::atomic<std::uint64_t> generation_{0};
  bool open_ = false, stop_ = false;  ///< whether a worker may still begin; whether the team ends
  bool may_linger_ = false;
  std::vector<std::thread> team_;
};

}  // namespace nucdet
