#pragma once
#include <atomic>
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
struct Kernels;  // cpu/kernels.hpp

namespace detail {
/// Filled by nucdet::cpu before anything else of the program starts, so that files of a program that were compiled with
/// the headers alone find its kernels too. Visible, whatever the program hides: there must be one.
[[gnu::visibility("default")]] inline constinit std::atomic<const Kernels*> registered_kernels{nullptr};
#ifdef NUCDET_PREBUILT
/// In nucdet::cpu; naming it makes the linker take the file that fills the slot, even out of a static library.
void bring_kernels();
[[gnu::used]] static void (*const kernels_needed)() = &bring_kernels;
#endif
}  // namespace detail

/// The fastest kernels for this machine, where some file of the program links nucdet::cpu; else none.
inline const Kernels* best_kernels() { return detail::registered_kernels.load(std::memory_order_acquire); }
}  // namespace cpu

/// How the kernels of nucdet::cpu convolve.
enum class ConvolutionMethod {
  automatic,   ///< the fastest by measurement (docs/numerics.md has the error)
  direct,      ///< plain sums: the same bits however an image is cut into tiles
  winograd_2,  ///< Winograd with outputs of 2 x 2 (as accurate as plain sums), 4 x 4, 6 x 6 where it applies, else
  winograd_4,  ///< plain sums
  winograd_6,
};

struct ContextOptions {
  int threads = 0;         ///< CPU: team size, 0 for one per hardware thread
  std::uint64_t seed = 0;  ///< of everything drawn at random: initial weights, dropout
  /// CPU: a table of fast kernels (see cpu::Kernels); null for the header-only ones.
  const cpu::Kernels* kernels = cpu::best_kernels();
  ConvolutionMethod convolution = ConvolutionMethod::automatic;  ///< CPU: by those kernels

  Precision precision = Precision::fp32;  ///< the CPU has fp32 alone
  int device = 0;                         ///< CUDA: its number
  void* stream = nullptr;                 ///< CUDA: a cudaStream_t to work on, or null for one of its own
  bool deterministic = true;              ///< CUDA: only convolution engines that always give the same bits
  bool measure = false;                   ///< CUDA: choose convolution engines by time, not by cuDNN's heuristics
  bool fuse = true;                       ///< CUDA: bias, activation, residual in a convolution's store: docs/cuda.md
  bool cudnn = true;                      ///< CUDA: false: our own plain convolution kernels, the oracle
  bool check_every_step = false;          ///< CUDA: wait after each step of a network, so that errors name it
};

namespace detail {
template <class>
inline constexpr bool built_without = false;
}

/// Where and how things run: threads or stream, memory, scratch, seed. One per thread of control; not copyable.
template <class Device>
class Context {
  static_assert(detail::built_without<Device>,
                "nucdet: no context for this device: nucdet was built without CUDA (configure with -DNUCDET_CUDA=ON "
                "and link nucdet::cuda)");
};

template <>
class Context<Cpu> {
 public:
  explicit Context(ContextOptions options = {}) : options_(options), threads_(options.threads) {
    if (options.precision != Precision::fp32)
      throw ArgumentError(message("Context: the CPU computes in fp32, asked for ", name_of(options.precision)));
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  int threads() const { return threads_.size(); }
  std::uint64_t seed() const { return options_.seed; }
  const ContextOptions& options() const { return options_; }
  const cpu::Kernels* kernels() const { return options_.kernels; }
  ConvolutionMethod convolution() const { return options_.convolution; }
  MemoryPool& memory() { return memory_; }
  /// The context for work that is the host's on every device.
  Context& host() { return *this; }

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
  /// Copies from the host to the device, and back. What was given or asked for is free, or there, on return.
  void upload(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void download(void* to, const void* from, std::size_t bytes) { upload(to, from, bytes); }
  /// Waits until everything asked for is done.
  void synchronize() {}

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

/// `count` objects in the device's memory, for arguments and results of kernels; unset. T is trivially copyable.
template <class T, class Device>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(Context<Device>& context, std::size_t count)
      : memory_(context.memory().allocate(count * sizeof(T))), count_(count) {}
  DeviceArray(Context<Device>& context, const T* from, std::size_t count) : DeviceArray(context, count) {
    context.upload(memory_.get(), from, count * sizeof(T));
  }

  T* data() const { return reinterpret_cast<T*>(memory_.get()); }
  std::size_t size() const { return count_; }
  /// A copy on the host.
  std::vector<T> read(Context<Device>& context) const {
    std::vector<T> values(count_);
    context.download(values.data(), data(), count_ * sizeof(T));
    return values;
  }

 private:
  MemoryPool::Block memory_;
  std::size_t count_ = 0;
};

}  // namespace nucdet

#ifdef NUCDET_WITH_CUDA
#include "nucdet/core/context_cuda.hpp"
#endif
