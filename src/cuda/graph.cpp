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

namespace {

/// Keeps a pool's blocks in place while their addresses are recorded.
class Holding {
 public:
  explicit Holding(MemoryPool& pool) : pool_(pool) { pool_.hold(true); }
  ~Holding() { pool_.hold(false); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  MemoryPool& pool_;
};

std::string text_of(cudaError_t status) { return message(cudaGetErrorName(status), ": ", cudaGetErrorString(status)); }

}  // namespace

/// Relaxed: a block that the first run did not need may still be taken from the device.
void CapturedWork<Cuda>::record() {
  const cudaStream_t stream = context_.state().stream;
  const Context<Cuda>::UsePool own(context_, pool_);
  const Holding holding(pool_);
  cudaGraph_t graph = nullptr;
  if (const cudaError_t begun = cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed); begun != cudaSuccess) {
    cudaGetLastError();
    note_ = message("the stream cannot be captured: ", text_of(begun));
    return;
  }
  try {
    work_();
  } catch (const std::exception& error) { note_ = error.what(); }
  const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
  cudaGetLastError();
  if (note_.empty() && ended != cudaSuccess) note_ = message("the graph was not captured: ", text_of(ended));
  if (note_.empty()) {
    auto made = std::make_unique<Graph>();
    const cudaError_t status = cudaGraphInstantiate(&made->ready, graph, 0);
    cudaGetLastError();
    if (status == cudaSuccess)
      graph_ = std::move(made);
    else
      note_ = message("the graph could not be made ready: ", text_of(status));
  }
  if (graph != nullptr) cudaGraphDestroy(graph);
}

}  // namespace nucdet
