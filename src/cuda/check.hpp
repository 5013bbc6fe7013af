#pragma once
#include <cuda_runtime_api.h>

#include "nucdet/core/error.hpp"

namespace nucdet::cuda {

/// Throws CudaError, with what was being done and the driver's text, unless all is well.
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // what is reported here must not be reported again by the next call
  throw CudaError(message(what, ": ", cudaGetErrorName(status), ": ", cudaGetErrorString(status)));
}

}  // namespace nucdet::cuda
