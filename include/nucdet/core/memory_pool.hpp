#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "nucdet/core/arena.hpp"

namespace nucdet {

/// Where a pool's memory comes from, if not from the host. `take` throws if there is none.
struct MemorySource {
  std::byte* (*take)(std::size_t bytes) = nullptr;
  void (*give)(std::byte* memory, std::size_t bytes) = nullptr;
  std::size_t small_unit = 64, large_unit = 4096;  ///< sizes are rounded up to these, so that like requests meet
  std::size_t large = 65536;                       ///< from here on the large unit counts
};

/// Memory that is kept and handed out again, so that work done a second time asks the system for nothing.
///
/// Host memory comes from one growing range (Arena). From another source, blocks of like size are kept, and given back
/// when the source runs dry. Blocks may outlive the object that made them: they hold the pool's state.
class MemoryPool {
 public:
  using Block = std::shared_ptr<std::byte>;
  struct Statistics {
    std::size_t in_use = 0, peak = 0;  ///< bytes handed out: now, and the most so far
    std::size_t held = 0;              ///< bytes taken from the source
  };

  explicit MemoryPool(MemorySource source = {}) { state_->source = source; }

  Block allocate(std::size_t bytes) {
    std::size_t size = rounded(bytes);
    std::byte* memory = state_->take(size);
    return {memory, Return{state_, size}};
  }

  Statistics statistics() const {
    const std::lock_guard lock(state_->mutex);
    return state_->statistics;
  }
  void reset_peak() {
    const std::lock_guard lock(state_->mutex);
    state_->statistics.peak = state_->statistics.in_use;
  }
  /// Gives what is free back to the source.
  void trim() {
    const std::lock_guard lock(state_->mutex);
    state_->release();
  }
  /// While it holds, no block is given back, not even when the source runs dry: a recorded graph may refer to any.
  void hold(bool holds) {
    const std::lock_guard lock(state_->mutex);
    state_->holds = holds;
  }

 private:
  std::size_t rounded(std::size_t bytes) const {
    const MemorySource& source = state_->source;
    const std::size_t unit = bytes < source.large ? source.small_unit : source.large_unit;
    return std::max(unit, (bytes + unit - 1) / unit * unit);
  }

  struct State {
    std::mutex mutex;
    MemorySource source;
    detail::Arena arena;                          ///< of a pool of host memory
    std::multimap<std::size_t, std::byte*> kept;  ///< blocks of another source
    bool holds = false;
    Statistics statistics;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { release(); }

    std::byte* take(std::size_t& size) {
      const std::lock_guard lock(mutex);
      std::byte* memory = source.take == nullptr ? arena.take(size) : kept_or_fresh(size);
      if (source.take == nullptr) statistics.held = arena.held();
      statistics.in_use += size;
      statistics.peak = std::max(statistics.peak, statistics.in_use);
      return memory;
    }
    void give(std::byte* memory, std::size_t size) {
      const std::lock_guard lock(mutex);
      statistics.in_use -= size;
      if (source.take == nullptr)
        arena.give(memory, size);
      else
        kept.emplace(size, memory);
    }
    /// A kept block that fits, or a new one.
    std::byte* kept_or_fresh(std::size_t& size) {
      const auto fit = kept.lower_bound(size);
      if (fit != kept.end() && fit->first <= size + size / 4) {
        std::byte* const memory = fit->second;
        size = fit->first;
        kept.erase(fit);
        return memory;
      }
      std::byte* const memory = fresh(size);
      statistics.held += size;
      return memory;
    }
    std::byte* fresh(std::size_t size) {
      try {
        return source.take(size);
      } catch (...) {
        if (kept.empty() || holds) throw;
      }
      release();
      return source.take(size);
    }
    void release() {
      if (source.take == nullptr) {
        arena.trim();
        statistics.held = arena.held();
      }
      for (const auto& block : kept) {
        source.give(block.second, block.first);
        statistics.held -= block.first;
      }
      kept.clear();
    }
  };

  struct Return {
    std::shared_ptr<State> state;
    std::size_t size;
    void operator()(std::byte* memory) const { state->give(memory, size); }
  };

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace nucdet
