#pragma once
#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/device.hpp"
#include "nucdet/core/executor.hpp"
#include "nucdet/core/memory_pool.hpp"
#include "nucdet/core/tensor.hpp"

#ifdef NUCDET_INLINE
#include "nucdet/core/thread_pool.hpp"
#endif

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
  winograd_2,  ///< Winograd with outputs of 2 x 2 (as accurate as plain sums), 4 x 4, 6 x 6 where it applies (5 x 5 by
  winograd_4,  ///< the last two for 3 x 3 of stride 2), else plain sums
  winograd_6,
};

/// Memory of a host program: made of a pointer to a std::pmr::memory_resource, or to anything with its `allocate` and
/// `deallocate`. It must outlive every tensor that is made of it, and be thread-safe if contexts share it; a context
/// asks for one block at a time, aligned to 64 bytes.
class HostMemory {
 public:
  HostMemory() = default;
  template <class Resource>
  requires requires(Resource& resource, std::byte* memory, std::size_t bytes) {
    { resource.allocate(bytes, bytes) } -> std::convertible_to<void*>;
    resource.deallocate(memory, bytes, bytes);
  }
  HostMemory(Resource* resource) {
    if (resource == nullptr) return;
    source_.owner = resource, source_.keeps = false;
    source_.take = [](void* owner, std::size_t bytes) {
      return static_cast<std::byte*>(static_cast<Resource*>(owner)->allocate(bytes, kAlignment));
    };
    source_.give = [](void* owner, std::byte* memory, std::size_t bytes) {
      static_cast<Resource*>(owner)->deallocate(memory, bytes, kAlignment);
    };
  }
  static constexpr std::size_t kAlignment = 64;
  const MemorySource& source() const { return source_; }

 private:
  MemorySource source_;
};

/// How a Context<Cpu> works.
struct CpuOptions {
  int threads = 0;         ///< size of a team of its own, 0 for available_processors()
  std::uint64_t seed = 0;  ///< of everything drawn at random: initial weights, dropout
  /// A table of fast kernels (see cpu::Kernels); null for the header-only ones.
  const cpu::Kernels* kernels = cpu::best_kernels();
  ConvolutionMethod convolution = ConvolutionMethod::automatic;  ///< by those kernels
  std::shared_ptr<Executor> executor = nullptr;  ///< threads of the host program in place of a team; leave `threads` 0
  HostMemory memory = {};  ///< of tensors and scratch; if none, growing ranges of addresses that the context keeps
};

/// How a Context<Cuda> works.
struct CudaOptions {
  std::uint64_t seed = 0;                 ///< of everything drawn at random: initial weights, dropout
  Precision precision = Precision::fp32;  ///< of maps and convolutions
  int device = 0;                         ///< its number
  void* stream = nullptr;                 ///< a cudaStream_t to work on, or null for one of its own
  bool deterministic = true;              ///< only convolution engines that always give the same bits
  bool measure = false;                   ///< choose convolution engines by time, not by cuDNN's heuristics
  bool fuse = true;                       ///< bias, activation, residual in a convolution's store: docs/cuda.md
  bool cudnn = true;                      ///< false: our own plain convolution kernels, the oracle
  bool check_every_step = false;          ///< wait after each step of a network, so that errors name it
  CpuOptions host = {};                   ///< of the host's share; its seed is this one's
};

namespace detail {
template <class>
inline constexpr bool built_without = false;
}

/// Where and how things run: threads or stream, memory, scratch, seed. Not copyable.
template <class Device>
class Context {
  static_assert(detail::built_without<Device>,
                "nucdet: no context for this device: nucdet was built without CUDA (configure with -DNUCDET_CUDA=ON "
                "and link nucdet::cuda)");
};

/// Thread-safe: while one thread has the team of workers, others do their work themselves.
template <>
class Context<Cpu> {
 public:
  using Options = CpuOptions;

  /// Throws ArgumentError if both a number of threads and an executor are given.
  explicit Context(CpuOptions options = {})
      : options_(std::move(options)), executor_(executor_of(options_)), memory_(options_.memory.source()) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Workers that scratch and `run` count with.
  int threads() const { return executor_->workers(); }
  std::uint64_t seed() const { return options_.seed; }
  const CpuOptions& options() const { return options_; }
  const cpu::Kernels* kernels() const { return options_.kernels; }
  ConvolutionMethod convolution() const { return options_.convolution; }
  Precision precision() const { return Precision::fp32; }
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
    run_chunks(*executor_, chunks, body);
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
  static std::shared_ptr<Executor> executor_of(const CpuOptions& options);

  CpuOptions options_;
  std::shared_ptr<Executor> executor_;
  MemoryPool memory_;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE std::shared_ptr<Executor> Context<Cpu>::executor_of(const CpuOptions& options) {
  if (options.executor == nullptr) return std::make_shared<ThreadPool>(options.threads);
  if (options.threads != 0)
    throw ArgumentError(message("Context: ", options.threads, " threads and an executor, wanted one of them"));
  return options.executor;
}

#endif

/// `count` objects in the device's memory, for arguments and results of kernels; unset. T is trivially copyable. One
/// thread at a time.
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
