#pragma once
#include <cuda_runtime.h>

#include "nucdet/core/context.hpp"
#include "nucdet/exec/launch_shape.hpp"

namespace nucdet::cuda {

/// Throws CudaError, with the driver's text, unless all is well. `what` is only put together then.
template <class What>
void check(cudaError_t status, const What& what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // what is reported here must not be reported again by the next call
  throw CudaError(message(what(), ": ", cudaGetErrorName(status), ": ", cudaGetErrorString(status)));
}

/// Queues a kernel on the context's stream.
template <class... Parameters, class... Arguments>
void launch(Context<Cuda>& context, dim3 blocks, void (*kernel)(Parameters...), const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = dim3(exec::kBlockThreads);
  config.stream = static_cast<cudaStream_t>(context.stream());
  check(cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...),
        [&] { return message("launch of ", blocks.x, 'x', blocks.y, 'x', blocks.z, " blocks"); });
}

/// Item of this thread, and the distance to its next one, in a loop over all items of a one-dimensional grid.
inline __device__ Index first_item() {
  return static_cast<Index>(blockIdx.x) * exec::kBlockThreads + static_cast<Index>(threadIdx.x);
}
inline __device__ Index item_stride() { return static_cast<Index>(gridDim.x) * exec::kBlockThreads; }

/// Numerator divided by denominator where both fit in 32 bits, which they nearly always do: a 64-bit division takes a
/// hundred instructions.
inline __device__ Index divide(Index numerator, Index denominator) {
  if (((numerator | denominator) >> 31) == 0)
    return static_cast<Index>(static_cast<unsigned>(numerator) / static_cast<unsigned>(denominator));
  return numerator / denominator;
}

/// The pixel with this number, in row-major order.
struct PixelPlace {
  Index n, y, x;
};
inline __device__ PixelPlace pixel_place(Index pixel, Index h, Index w) {
  const Index row = divide(pixel, w), n = divide(row, h);
  return {n, row - n * h, pixel - row * w};
}

}  // namespace nucdet::cuda
