#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "nucdet/core/device.hpp"
#include "nucdet/core/memory_pool.hpp"
#include "nucdet/core/tensor.hpp"
#include "nucdet/core/thread_pool.hpp"

namespace nucdet {

namespace cpu {
struct Kernels;  // ops/kernels.hpp
}

struct ContextOptions {
  int threads = 0;          ///< CPU: team size, 0 for one per hardware thread
  std::uint64_t seed = 0;   ///< of everything drawn at random: initial weights, dropout
  double memory_slack = 0;  ///< see MemoryPool: 0.5 makes training faster for half as much memory again
  /// CPU: a table of fast kernels (see cpu::Kernels); null for the header-only ones.
  const cpu::Kernels* kernels = nullptr;
};

namespace detail {
template <class>
inline constexpr bool built_without = false;
}

/// Where and how things run: threads or stream, memory, scratch, seed. One per thread of control; not copyable.
template <class Device>
class Context {
  static_assert(detail::built_without<Device>,
                "nucdet: no context for this device: nucdet was built without CUDA (configure with -DNUCDET_CUDA=ON)");
};

template <>
class Context<Cpu> {
 public:
  explicit Context(ContextOptions options = {})
      : options_(options), threads_(options.threads), memory_(options.memory_slack) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  int threads() const { return threads_.size(); }
  std::uint64_t seed() const { return options_.seed; }
  const cpu::Kernels* kernels() const { return options_.kernels; }
  MemoryPool& memory() { return memory_; }

  /// A tensor with unset elements.
  Tensor<Cpu> make(Shape shape, DType type = DType::f32) {
    return {memory_.allocate(static_cast<std::size_t>(shape.count()) * size_of(type)), shape, type};
  }
  Tensor<Cpu> zeros(Shape shape, DType type = DType::f32) {
    const std::size_t bytes = static_cast<std::size_t>(shape.count()) * size_of(type);
    MemoryPool::Block memory = memory_.allocate(bytes);
    std::memset(memory.get(), 0, bytes);
    return {std::move(memory), shape, type};
  }
  /// Runs body(chunk, worker) on the team, worker in [0, threads()). Chunks must not depend on the number of threads.
  template <class Body>
  void run(Index chunks, Body&& body) {
    threads_.run(chunks, body);
  }
  /// `count` elements for each worker, for the length of one op: scratch<float>(n)[worker].
  template <class T>
  class Scratch {
   public:
    Scratch(Context& context, Index count)
        : stride_((count * static_cast<Index>(sizeof(T)) + 127) / 128 * 128 / static_cast<Index>(sizeof(T))),
          memory_(context.memory_.allocate(static_cast<std::size_t>(stride_ * context.threads()) * sizeof(T))) {}
    T* operator[](int worker) const { return reinterpret_cast<T*>(memory_.get()) + worker * stride_; }

   private:
    Index stride_;
    MemoryPool::Block memory_;
  };
  template <class T>
  Scratch<T> scratch(Index count) {
    return Scratch<T>(*this, count);
  }

 private:
  ContextOptions options_;
  ThreadPool threads_;
  MemoryPool memory_;
};

}  // namespace nucdet
