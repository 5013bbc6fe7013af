#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/core/context.hpp"

/// The CUDA context, as every host compiler sees it: no CUDA header is needed to use it, nucdet::cuda holds its bodies.
namespace nucdet {

namespace cuda {

struct ContextState;  // src/cuda/context_state.hpp

/// What a device is known by, wherever it is seen.
using Uuid = std::array<unsigned char, 16>;

/// A device of this machine.
struct DeviceInfo {
  int number = 0;
  std::string name;          ///< "NVIDIA H200"
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 0;
  std::size_t memory = 0, l2_cache = 0;  ///< bytes
  Uuid uuid{};
};

/// What there is to run on, and if nothing, why. Never throws.
struct Availability {
  std::vector<DeviceInfo> devices;
  int driver = 0, runtime = 0;  ///< 13000 is 13.0; driver 0: none
  std::string cudnn;            ///< its version, or why it cannot be used
  bool has_cudnn = false;
  std::string reason;  ///< why there is no device; empty if there is one
};
Availability availability();

}  // namespace cuda

/// A stream of a device with its memory, its convolution plans and its staging buffers. Work is queued and runs in
/// order; `download` and `synchronize` wait. Every error is a CudaError that says what was being done. One thread at a
/// time; its host() is thread-safe.
template <>
class Context<Cuda> {
 public:
  using Options = CudaOptions;

  /// Throws CudaError without a usable driver or device, saying why.
  explicit Context(CudaOptions options = {});
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  std::uint64_t seed() const { return options_.seed; }
  const CudaOptions& options() const { return options_; }
  Precision precision() const { return options_.precision; }
  MemoryPool& memory() {
    select();
    return *memory_;
  }
  const cuda::DeviceInfo& device() const;
  /// The host's share: reading, matching, drawing random numbers.
  Context<Cpu>& host() { return host_; }
  int threads() const { return host_.threads(); }

  Tensor<Cuda> make(Shape shape, DType type = DType::f32) {
    return {memory().allocate(static_cast<std::size_t>(shape.count()) * size_of(type)), shape, type};
  }
  Tensor<Cuda> zeros(Shape shape, DType type = DType::f32) {
    Tensor<Cuda> tensor = make(shape, type);
    clear(tensor);
    return tensor;
  }
  /// Copies by way of pinned memory; `from` may be reused at once.
  void upload(void* to, const void* from, std::size_t bytes);
  /// Waits for everything before it.
  void download(void* to, const void* from, std::size_t bytes);
  void synchronize();
  /// Bytes that the device has left for everybody.
  std::size_t free_memory() const;
  /// How each convolution is done, and why so: a line each.
  const std::vector<std::string>& convolution_log() const;
  /// cudaStream_t of this context.
  void* stream() const;

  cuda::ContextState& state() { return *state_; }

  /// While it lives, the context's tensors come from `pool`: what a captured graph works in must stay its own.
  class UsePool {
   public:
    UsePool(Context& context, MemoryPool& pool) : context_(context), before_(context.memory_) {
      context.memory_ = &pool;
    }
    ~UsePool() { context_.memory_ = before_; }
    UsePool(const UsePool&) = delete;
    UsePool& operator=(const UsePool&) = delete;

   private:
    Context& context_;
    MemoryPool* before_;
  };
  /// A pool of this device's memory.
  MemoryPool make_pool() const;

 private:
  /// Makes this context's device the calling thread's: contexts of several devices may take turns in one.
  void select() const;
  void clear(Tensor<Cuda>& tensor);

  CudaOptions options_;
  Context<Cpu> host_;
  MemoryPool own_memory_;
  MemoryPool* memory_;
  std::unique_ptr<cuda::ContextState> state_;
};

}  // namespace nucdet
