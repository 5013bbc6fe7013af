#include "block.hpp"

#include <cstddef>
#include <memory>
#include <vector>

#include <sys/mman.h>
#include <ucontext.h>

#include "arena.hpp"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace emulator {
namespace {

constexpr std::size_t kStackBytes = std::size_t{128} << 10;
constexpr std::size_t kPage = 4096;
constexpr const char* kUnmetBarrier = "barrier not met by all threads of the block";

struct Fiber {
  ucontext_t context;  // for its first start
  void* place[5];      // where it waits
  bool started = false, done = false;
};

/// The first fiber goes through the blocks of a grid and calls the threads as plain functions, until thread 0 of a
/// block meets a barrier. Then each thread of that block gets a fiber of its own. So blocks without barriers switch no
/// stacks. Fibers are kept: each waits for its next thread when it has run one.
class Scheduler {
 public:
  void run(const dim3& grid, const dim3& block, const BoundKernel& kernel);
  void barrier();

 private:
  static void first_entry();
  static void other_entry();

  void run_blocks();
  void run_block();
  void run_phases();
  void prepare_fibers();
  void resume(std::size_t thread);
  [[gnu::noinline]] void enter(Fiber& fiber);
  [[gnu::noinline]] static void jump(Fiber& fiber);
  [[gnu::noinline]] void suspend();
  [[gnu::noinline]] void leave();
  void finish_thread();
  void call() const { call_(arguments_); }

  std::vector<std::unique_ptr<Fiber>> fibers_;
  void* place_[5];  // of the scheduler itself
  void (*call_)(const void*) = nullptr;
  const void* arguments_ = nullptr;
  std::size_t threads_ = 0;
  std::size_t current_ = 0;
  bool fibered_ = false;      // thread 0 of this block has met a barrier
  bool plain_calls_ = false;  // thread 0 of this block has ended without one
  bool grid_done_ = false;
};

Scheduler& scheduler() {
  static Scheduler& instance = *new Scheduler;
  return instance;
}

void* new_stack() {
  void* stack = mmap(nullptr, kStackBytes + kPage, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  // A page out of reach below the stack turns an overflow into a crash.
  if (stack == MAP_FAILED || mprotect(stack, kPage, PROT_NONE) != 0) fail("no memory for the stack of a thread");
  return static_cast<unsigned char*>(stack) + kPage;
}

void Scheduler::run(const dim3& grid, const dim3& block, const BoundKernel& kernel) {
  gridDim = grid;
  blockDim = block;
  call_ = kernel.call;
  arguments_ = kernel.arguments.get();
  threads_ = std::size_t{block.x} * block.y * block.z;
  prepare_fibers();
  grid_done_ = false;
  for (resume(0); !grid_done_; resume(0)) run_phases();
}

void Scheduler::prepare_fibers() {
  while (fibers_.size() < threads_) {
    auto fiber = std::make_unique<Fiber>();
    if (getcontext(&fiber->context) != 0) fail("cannot make a fiber");
    fiber->context.uc_stack.ss_sp = new_stack();
    fiber->context.uc_stack.ss_size = kStackBytes;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, fibers_.empty() ? &first_entry : &other_entry, 0);
    fibers_.push_back(std::move(fiber));
  }
}

void Scheduler::first_entry() {
  for (;;) scheduler().run_blocks();
}

void Scheduler::other_entry() {
  for (;;) {
    scheduler().call();
    scheduler().finish_thread();
  }
}

void Scheduler::run_blocks() {
  for (unsigned z = 0; z < gridDim.z; ++z) {
    for (unsigned y = 0; y < gridDim.y; ++y) {
      for (unsigned x = 0; x < gridDim.x; ++x) {
        blockIdx = {x, y, z};
        run_block();
      }
    }
  }
  grid_done_ = true;
  suspend();
}

void Scheduler::run_block() {
  fibered_ = false;
  threadIdx = {0, 0, 0};
  call();
  if (fibered_) return finish_thread();
  plain_calls_ = true;
  unsigned first = 1;
  for (unsigned z = 0; z < blockDim.z; ++z) {
    for (unsigned y = 0; y < blockDim.y; ++y) {
      for (unsigned x = first; x < blockDim.x; ++x) {
        threadIdx = {x, y, z};
        call();
      }
      first = 0;
    }
  }
  plain_calls_ = false;
}

/// Enters when thread 0 waits at its first barrier, leaves when all threads of the block have ended.
void Scheduler::run_phases() {
  for (std::size_t t = 0; t < threads_; ++t) fibers_[t]->done = false;
  for (std::size_t t = 1; t < threads_; ++t) resume(t);
  for (bool descending = true;; descending = !descending) {
    std::size_t ended = 0;
    for (std::size_t t = 0; t < threads_; ++t) ended += fibers_[t]->done ? 1 : 0;
    if (ended == threads_) return;
    if (ended != 0) fail(kUnmetBarrier);
    for (std::size_t i = 0; i < threads_; ++i) resume(descending ? threads_ - 1 - i : i);
  }
}

void Scheduler::resume(std::size_t thread) {
  current_ = thread;
  const auto t = static_cast<unsigned>(thread);
  threadIdx = {t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y};
  enter(*fibers_[thread]);
}

// Jumps, not swapcontext, which asks the system for its signal mask at every switch. Setting a place and jumping to one
// stay in functions of their own: compilers take no account of both in one.
void Scheduler::enter(Fiber& fiber) {
  if (__builtin_setjmp(place_) == 0) jump(fiber);
}
void Scheduler::jump(Fiber& fiber) {
  if (fiber.started) __builtin_longjmp(fiber.place, 1);
  fiber.started = true;
  setcontext(&fiber.context);
  fail("cannot switch to a fiber");
}
void Scheduler::suspend() {
  if (__builtin_setjmp(fibers_[current_]->place) == 0) leave();
}
void Scheduler::leave() { __builtin_longjmp(place_, 1); }

void Scheduler::finish_thread() {
  fibers_[current_]->done = true;
  suspend();
}

void Scheduler::barrier() {
  if (plain_calls_) fail(kUnmetBarrier);
  fibered_ = true;
  suspend();
}

}  // namespace

void run_grid(const dim3& grid, const dim3& block, const BoundKernel& kernel) { scheduler().run(grid, block, kernel); }

void barrier() { scheduler().barrier(); }

}  // namespace emulator
