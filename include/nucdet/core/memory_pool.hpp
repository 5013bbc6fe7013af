#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "nucdet/core/system_memory.hpp"

namespace nucdet {

/// Where a pool's memory comes from. `take` throws if there is none.
struct MemorySource {
  std::byte* (*take)(std::size_t bytes) = detail::system_take;
  void (*give)(std::byte* memory, std::size_t bytes) = detail::system_give;
  std::size_t small_unit = 64, large_unit = 4096;  ///< sizes are rounded up to these, so that like requests meet
  std::size_t large = 65536;                       ///< from here on the large unit counts
};

/// Memory that is kept and handed out again.
///
/// What the pool holds (in use and kept) stays within (1 + slack) times the most that was in use at one time, so that
/// the program's memory is what `Model::plan` says. Slack buys time where many sizes alternate, as in training; with
/// infinite slack nothing is given back before the source runs dry. Blocks may outlive the object that made them: they
/// hold the pool's state.
class MemoryPool {
 public:
  using Block = std::shared_ptr<std::byte>;
  struct Statistics {
    std::size_t in_use = 0, peak = 0;  ///< bytes handed out: now, and the most so far
    std::size_t held = 0;              ///< bytes taken from the source
  };

  explicit MemoryPool(double slack = 0, MemorySource source = {}) { state_->slack = slack, state_->source = source; }

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
  /// Gives kept blocks back to the source.
  void trim() {
    const std::lock_guard lock(state_->mutex);
    state_->release_down_to(0);
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
    std::multimap<std::size_t, std::byte*> kept;
    std::size_t kept_bytes = 0;
    double slack = 0;
    bool holds = false;
    Statistics statistics;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { release_down_to(0); }

    /// A kept block that fits; else a new one, after as many kept ones were freed as the limit asks for.
    std::byte* take(std::size_t& size) {
      const std::lock_guard lock(mutex);
      const auto fit = kept.lower_bound(size);
      std::byte* memory = nullptr;
      if (fit != kept.end() && fit->first <= size + size / 4) {
        size = fit->first, memory = fit->second;
        kept_bytes -= size;
        kept.erase(fit);
      } else {
        memory = fresh(size);
        statistics.held += size;
      }
      statistics.in_use += size;
      statistics.peak = std::max(statistics.peak, statistics.in_use);
      return memory;
    }
    std::byte* fresh(std::size_t size) {
      if (std::isfinite(slack)) {
        const std::size_t peak = std::max(statistics.peak, statistics.in_use + size);
        const std::size_t limit = peak + static_cast<std::size_t>(slack * static_cast<double>(peak));
        release_down_to(limit - statistics.in_use - size);
      }
      try {
        return source.take(size);
      } catch (...) {
        if (kept_bytes == 0 || holds) throw;
      }
      release_down_to(0);
      return source.take(size);
    }
    void give(std::byte* memory, std::size_t size) {
      const std::lock_guard lock(mutex);
      statistics.in_use -= size;
      kept.emplace(size, memory);
      kept_bytes += size;
    }
    /// Frees the largest kept blocks until at most `bytes` are kept.
    void release_down_to(std::size_t bytes) {
      while (kept_bytes > bytes) {
        const auto last = std::prev(kept.end());
        source.give(last->second, last->first);
        kept_bytes -= last->first, statistics.held -= last->first;
        kept.erase(last);
      }
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
