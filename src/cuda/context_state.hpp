#pragma once
#include <memory>

#include <cuda_runtime_api.h>

#include "nucdet/core/context.hpp"

#include "staging.hpp"

namespace nucdet::cuda {

class ConvolutionEngine;  // convolution_engine.hpp

/// What a Context<Cuda> holds besides memory.
struct ContextState {
  explicit ContextState(const CudaOptions& options);
  ~ContextState();
  ContextState(const ContextState&) = delete;
  ContextState& operator=(const ContextState&) = delete;

  DeviceInfo device;
  cudaStream_t stream = nullptr;
  bool owns_stream = false;
  std::unique_ptr<UploadRing> uploads;
  std::unique_ptr<DownloadBuffer> downloads;
  std::unique_ptr<ConvolutionEngine> convolutions;
};

/// Device memory for a pool. Blocks of one stream are handed on without waiting: what reuses them is queued behind what
/// used them.
MemorySource device_memory();

}  // namespace nucdet::cuda
