#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet {

/// A fixed team of threads that shares out numbered chunks of work.
///
/// Which worker runs a chunk is left to chance; what a chunk is must not depend on the number of threads, so that
/// results do not either. The calling thread is worker 0 and takes part. A call from inside a chunk runs in place, in
/// order.
class ThreadPool {
 public:
  /// threads <= 0: one per hardware thread. Throws Error if the system has not so many.
  explicit ThreadPool(int threads) {
    const int hardware = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    size_ = threads > 0 ? threads : hardware;
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
  ~ThreadPool() { dismiss(); }

  int size() const { return size_; }

  /// Calls body(chunk, worker) for chunk = 0 ... chunks - 1, worker in [0, size()). The first exception is rethrown
  /// here.
  template <class Body>
  void run(Index chunks, Body&& body) {
    if (chunks <= 0) return;
    if (chunks == 1 || size_ == 1 || inside_ != nullptr) {
      const int worker = inside_ == this ? worker_ : 0;
      for (Index chunk = 0; chunk < chunks; ++chunk) body(chunk, worker);
      return;
    }
    using Plain = std::remove_reference_t<Body>;
    run_shared({[](void* f, Index chunk, int worker) { (*static_cast<Plain*>(f))(chunk, worker); }, &body, chunks});
  }

 private:
  struct Job {
    void (*call)(void*, Index, int) = nullptr;
    const void* body = nullptr;
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

  void run_shared(Job job) {
    const std::lock_guard one_at_a_time(callers_);
    {
      const std::lock_guard lock(mutex_);
      job_ = job, next_ = 0, failed_ = nullptr, busy_ = size_ - 1, ++generation_;
    }
    wake_.notify_all();
    work(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (failed_) std::rethrow_exception(failed_);
  }

  void serve(int worker) {
    std::uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
        if (stop_) return;
        seen = generation_;
      }
      work(worker);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void work(int worker) {
    inside_ = this, worker_ = worker;
    for (Index chunk = next_++; chunk < job_.chunks; chunk = next_++) {
      try {
        job_.call(const_cast<void*>(job_.body), chunk, worker);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failed_) failed_ = std::current_exception();
        next_ = job_.chunks;
      }
    }
    inside_ = nullptr;
  }

  inline static thread_local const ThreadPool* inside_ = nullptr;
  inline static thread_local int worker_ = 0;

  int size_ = 1;
  std::mutex callers_, mutex_;
  std::condition_variable wake_, done_;
  Job job_;
  std::atomic<Index> next_{0};
  std::exception_ptr failed_;
  int busy_ = 0;
  std::uint64_t generation_ = 0;
  bool stop_ = false;
  std::vector<std::thread> team_;
};

}  // namespace nucdet
