#pragma once
/// What the emulator offers beside CUDA's own interface.

#include <cstddef>
#include <functional>
#include <memory>

#include "cuda_runtime_api.h"

namespace emulator {

/// Aborts with a message if something wrote just behind an allocation of device memory.
void check_guards();

/// Kernels run so far.
std::size_t launches();

/// Bytes of device memory in use.
std::size_t allocated();

/// Appends an operation to a stream, or to the graph that the stream is capturing. It may touch device memory, and it
/// runs again at each replay. For emulated libraries that work on streams.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> operation);

/// Appends work that waits for other streams' work: it is tried whenever its turn comes until it says that it is done,
/// and may then have touched device memory. Not in a capture. A host that waits for such a stream before the others
/// have come would wait for ever: the emulator aborts. One that asks (cudaEventQuery) is told that it is not ready.
cudaError_t enqueue_until(cudaStream_t stream, std::function<bool()> attempt);

/// A kernel with its arguments: `call(arguments.get())` runs one thread of it.
struct BoundKernel {
  std::shared_ptr<const void> arguments;
  void (*call)(const void* arguments) = nullptr;
};

cudaError_t launch(const cudaLaunchConfig_t* config, BoundKernel kernel);

/// Aborts if a kernel is given the address of memory that a device cannot reach.
void check_kernel_pointer(const volatile void* pointer);

void barrier();

}  // namespace emulator
