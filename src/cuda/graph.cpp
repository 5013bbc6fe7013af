#include <cuda_runtime_api.h>

#include "nucdet/core/captured_work.hpp"

#include "check.hpp"
#include "context_state.hpp"

namespace nucdet {

struct CapturedWork<Cuda>::Graph {
  cudaGraphExec_t ready = nullptr;
  ~Graph() {
    if (ready != nullptr) cudaGraphExecDestroy(ready);
  }
};

CapturedWork<Cuda>::CapturedWork(Context<Cuda>& context, std::function<void()> work)
    : context_(context), work_(std::move(work)), pool_(context.make_pool()) {}

CapturedWork<Cuda>::~CapturedWork() = default;

void CapturedWork<Cuda>::run() {
  if (++runs_ == 2) record();
  if (graph_ != nullptr) {
    cuda::check(cudaGraphLaunch(graph_->ready, context_.state().stream), "launch of a captured graph");
    return;
  }
  const Context<Cuda>::UsePool own(context_, pool_);
  work_();
}

/// Relaxed: a block that the first run did not need may still be taken from the device.
void CapturedWork<Cuda>::record() {
  const cudaStream_t stream = context_.state().stream;
  const Context<Cuda>::UsePool own(context_, pool_);
  cudaGraph_t graph = nullptr;
  cuda::check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "capture of a graph");
  try {
    work_();
  } catch (const Error& error) { note_ = error.what(); }
  const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
  cudaGetLastError();
  if (note_.empty() && ended != cudaSuccess)
    note_ = message("the graph was not captured: ", cudaGetErrorName(ended), ": ", cudaGetErrorString(ended));
  if (note_.empty()) {
    auto made = std::make_unique<Graph>();
    const cudaError_t status = cudaGraphInstantiate(&made->ready, graph, 0);
    cudaGetLastError();
    if (status == cudaSuccess)
      graph_ = std::move(made);
    else
      note_ = message("the graph could not be made ready: ", cudaGetErrorName(status));
  }
  if (graph != nullptr) cudaGraphDestroy(graph);
}

}  // namespace nucdet
