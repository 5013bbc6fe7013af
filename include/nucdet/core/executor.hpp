#pragma once
#include <atomic>
#include <exception>
#include <type_traits>
#include <utility>

#include "nucdet/core/shape.hpp"

namespace nucdet {

/// Threads that work is shared out to. A host program that has threads of its own gives them to contexts as one
/// (CpuOptions::executor); ThreadPool and SerialExecutor are the library's.
///
/// What a chunk is never depends on the number of workers, so results do not either. Thread-safe: several contexts may
/// share one, and several threads may call `run` at once.
class Executor {
 public:
  /// Does one chunk of `work`. It throws nothing and never calls `run`: what is nested is done in place (run_chunks).
  using Chunk = void (*)(void* work, Index chunk, int worker) noexcept;

  virtual ~Executor() = default;
  /// At least 1; it never changes.
  virtual int workers() const = 0;
  /// Calls chunk(work, i, worker) once for each i in [0, chunks), in any order, and returns when all of them are done.
  /// worker is in [0, workers()); calls of one `run` that overlap in time have different workers.
  virtual void run(Index chunks, Chunk chunk, void* work) = 0;
};

/// All on the calling thread. Thread-safe.
class SerialExecutor final : public Executor {
 public:
  int workers() const override { return 1; }
  void run(Index chunks, Chunk chunk, void* work) override {
    for (Index i = 0; i < chunks; ++i) chunk(work, i, 0);
  }
};

namespace detail {

/// Where a thread is: in a chunk of which executor, as which worker.
struct Place {
  const Executor* executor = nullptr;
  int worker = 0;
};
inline thread_local Place place;

/// A body as the work of an executor; the first exception waits for the caller.
template <class Body>
struct SharedWork {
  Body& body;
  const Executor* executor;
  std::atomic<bool> failed{false};
  std::exception_ptr error{};

  static void chunk(void* work, Index chunk, int worker) noexcept {
    SharedWork& self = *static_cast<SharedWork*>(work);
    if (self.failed.load(std::memory_order_relaxed)) return;
    const Place before = std::exchange(place, Place{self.executor, worker});
    try {
      self.body(chunk, worker);
    } catch (...) {
      if (!self.failed.exchange(true)) self.error = std::current_exception();
    }
    place = before;
  }
};

}  // namespace detail

/// Calls body(chunk, worker) for chunk = 0 ... chunks - 1 on an executor's workers. The first exception is rethrown
/// here, and chunks that were not begun are left out. A call from inside a chunk runs in place, in order, as the same
/// worker.
template <class Body>
void run_chunks(Executor& executor, Index chunks, Body&& body) {
  if (chunks <= 0) return;
  const detail::Place here = detail::place;
  if (chunks == 1 || here.executor != nullptr || executor.workers() == 1) {
    const int worker = here.executor == &executor ? here.worker : 0;
    for (Index chunk = 0; chunk < chunks; ++chunk) body(chunk, worker);
    return;
  }
  detail::SharedWork<std::remove_reference_t<Body>> work{body, &executor};
  executor.run(chunks, &work.chunk, &work);
  if (work.error) std::rethrow_exception(work.error);
}

}  // namespace nucdet
