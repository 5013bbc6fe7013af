#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "nucdet/core/arena.hpp"
#include "nucdet/core/config.hpp"

namespace nucdet {

/// Where a pool's memory comes from, if not from the host's arena. `take` throws if there is none. A pool calls both
/// under its lock.
struct MemorySource {
  std::byte* (*take)(void* owner, std::size_t bytes) = nullptr;
  void (*give)(void* owner, std::byte* memory, std::size_t bytes) = nullptr;
  void* owner = nullptr;
  bool keeps = true;  ///< what is free stays in the pool and is handed out again; else it is given back at once
  std::size_t small_unit = 64, large_unit = 4096;  ///< sizes are rounded up to these, so that like requests meet
  std::size_t large = 65536;                       ///< from here on the large unit counts
};

/// Memory that is kept and handed out again, so that work done a second time asks neither the system nor the heap.
///
/// Host memory comes from growing ranges of addresses (Arena). From another source, blocks of like size are kept, and
/// given back when the source runs dry. Blocks may outlive the object that made them: they hold the pool's state.
/// Thread-safe.
class MemoryPool {
 public:
  using Block = std::shared_ptr<std::byte>;
  struct Statistics {
    std::size_t in_use = 0, peak = 0;  ///< bytes handed out: now, and the most so far
    std::size_t held = 0;              ///< bytes taken from the source
  };

  explicit MemoryPool(MemorySource source = {});

  Block allocate(std::size_t bytes);

  Statistics statistics() const;
  void reset_peak();
  /// Gives what is free back to the source.
  void trim();
  /// While it holds, no block is given back, not even when the source runs dry: a recorded graph may refer to any.
  void hold(bool holds);

 private:
  std::size_t rounded(std::size_t bytes) const;

  struct State;
  struct Return;
  template <class T>
  struct NodeAllocator;

  std::shared_ptr<State> state_;
};

#ifdef NUCDET_INLINE

struct MemoryPool::State {
  struct Kept {
    std::size_t size;
    std::byte* memory;
  };
  /// What a handle's shared_ptr needs besides the memory; used again.
  struct Node {
    static constexpr std::size_t kBytes = 96;
    Node* next;
  };

  std::mutex mutex;
  MemorySource source;
  detail::Arena arena;     ///< of a pool of host memory
  std::vector<Kept> kept;  ///< blocks of another source, by size; of equal ones the first to come is first to go
  Node* nodes = nullptr;
  bool holds = false;
  Statistics statistics;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    release();
    while (nodes != nullptr) ::operator delete(std::exchange(nodes, nodes->next));
  }

  bool is_arena() const { return source.take == nullptr; }
  std::byte* take(std::size_t& size) {
    const std::lock_guard lock(mutex);
    std::byte* memory = is_arena() ? arena.take(size) : kept_or_fresh(size);
    if (is_arena()) statistics.held = arena.held();
    statistics.in_use += size;
    statistics.peak = std::max(statistics.peak, statistics.in_use);
    return memory;
  }
  void give(std::byte* memory, std::size_t size) {
    const std::lock_guard lock(mutex);
    statistics.in_use -= size;
    if (is_arena())
      arena.give(memory, size);
    else if (source.keeps)
      kept.insert(std::upper_bound(kept.begin(), kept.end(), size,
                                   [](std::size_t wanted, const Kept& block) { return wanted < block.size; }),
                  {size, memory});
    else
      give_back({size, memory});
  }
  /// A kept block that fits, or a new one.
  std::byte* kept_or_fresh(std::size_t& size) {
    const auto fit = std::lower_bound(kept.begin(), kept.end(), size,
                                      [](const Kept& block, std::size_t wanted) { return block.size < wanted; });
    if (fit != kept.end() && fit->size <= size + size / 4) {
      std::byte* const memory = fit->memory;
      size = fit->size;
      kept.erase(fit);
      return memory;
    }
    std::byte* const memory = fresh(size);
    statistics.held += size;
    return memory;
  }
  std::byte* fresh(std::size_t size) {
    try {
      return source.take(source.owner, size);
    } catch (...) {
      if (kept.empty() || holds) throw;
    }
    release();
    return source.take(source.owner, size);
  }
  void give_back(const Kept& block) {
    source.give(source.owner, block.memory, block.size);
    statistics.held -= block.size;
  }
  void release() {
    if (is_arena()) {
      arena.trim();
      statistics.held = arena.held();
    }
    for (const Kept& block : kept) give_back(block);
    kept.clear();
  }

  void* take_node() {
    const std::lock_guard lock(mutex);
    if (nodes == nullptr) return ::operator new(Node::kBytes);
    return std::exchange(nodes, nodes->next);
  }
  void give_node(void* memory) {
    const std::lock_guard lock(mutex);
    nodes = new (memory) Node{nodes};
  }
};

struct MemoryPool::Return {
  State* state;  ///< the allocator beside it holds it
  std::size_t size;
  void operator()(std::byte* memory) const { state->give(memory, size); }
};

template <class T>
struct MemoryPool::NodeAllocator {
  using value_type = T;
  std::shared_ptr<State> state;

  explicit NodeAllocator(std::shared_ptr<State> s) : state(std::move(s)) {}
  template <class U>
  NodeAllocator(const NodeAllocator<U>& other) : state(other.state) {}
  T* allocate(std::size_t) {
    static_assert(sizeof(T) <= State::Node::kBytes && alignof(T) <= alignof(std::max_align_t));
    return static_cast<T*>(state->take_node());
  }
  void deallocate(T* memory, std::size_t) { state->give_node(memory); }
  template <class U>
  friend bool operator==(const NodeAllocator& a, const NodeAllocator<U>& b) {
    return a.state == b.state;
  }
};

NUCDET_INLINE MemoryPool::MemoryPool(MemorySource source) : state_(std::make_shared<State>()) {
  state_->source = source;
}

NUCDET_INLINE MemoryPool::Block MemoryPool::allocate(std::size_t bytes) {
  std::size_t size = rounded(bytes);
  std::byte* memory = state_->take(size);
  return {memory, Return{state_.get(), size}, NodeAllocator<std::byte>(state_)};
}

NUCDET_INLINE MemoryPool::Statistics MemoryPool::statistics() const {
  const std::lock_guard lock(state_->mutex);
  return state_->statistics;
}

NUCDET_INLINE void MemoryPool::reset_peak() {
  const std::lock_guard lock(state_->mutex);
  state_->statistics.peak = state_->statistics.in_use;
}

NUCDET_INLINE void MemoryPool::trim() {
  const std::lock_guard lock(state_->mutex);
  state_->release();
}

NUCDET_INLINE void MemoryPool::hold(bool holds) {
  const std::lock_guard lock(state_->mutex);
  state_->holds = holds;
}

NUCDET_INLINE std::size_t MemoryPool::rounded(std::size_t bytes) const {
  const MemorySource& source = state_->source;
  const std::size_t unit = bytes < source.large ? source.small_unit : source.large_unit;
  return std::max(unit, (bytes + unit - 1) / unit * unit);
}

#endif

}  // namespace nucdet
