// The emulated library's cuDNN: the interpreter of fake_cudnn, with its work on the emulated streams.
#include <map>
#include <utility>

#include "cuda/cudnn_api.hpp"
#include "emulator.hpp"
#include "fake_cudnn.hpp"

namespace nucdet_test {

FakeCudnnOptions& emulated_cudnn() {
  static FakeCudnnOptions options;
  return options;
}

}  // namespace nucdet_test

namespace nucdet::cuda {

namespace {

struct Streams {
  std::map<cudnnHandle_t, cudaStream_t> of;
  cudaStream_t current = nullptr;
};
Streams& streams() {
  static Streams all;
  return all;
}

CudnnApi& table() {
  static CudnnApi api;
  return api;
}
decltype(CudnnApi::backend_execute)& execute_at_once() {
  static decltype(CudnnApi::backend_execute) function = nullptr;
  return function;
}

cudnnStatus_t set_stream(cudnnHandle_t handle, cudaStream_t stream) {
  streams().of[handle] = stream;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  streams().current = streams().of[handle];
  return execute_at_once()(handle, plan, pack);
}

}  // namespace

/// Sets the fake up anew each time: tests of the fake itself change its options.
const CudnnApi& cudnn_api() {
  nucdet_test::FakeCudnnOptions options = nucdet_test::emulated_cudnn();
  options.queue = [](std::function<void()> work) { emulator::enqueue(streams().current, std::move(work)); };
  table() = nucdet_test::fake_cudnn(options);
  execute_at_once() = table().backend_execute;
  table().set_stream = set_stream, table().backend_execute = execute;
  return table();
}

}  // namespace nucdet::cuda
