#include "nucdet/core/context.hpp"

#include "check.hpp"
#include "context_state.hpp"
#include "convolution_engine.hpp"

namespace nucdet {

namespace cuda {

namespace {

std::byte* take(void*, std::size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw CudaError(message("device memory: wanted ", bytes >> 20, " MiB, free are ", free >> 20, " of ", total >> 20,
                            " MiB (a smaller tile or batch needs less)"));
  }
  check(status, "device memory");
  return static_cast<std::byte*>(memory);
}
void give(void*, std::byte* memory, std::size_t) { cudaFree(memory); }

CpuOptions for_host(const CudaOptions& options) {
  CpuOptions host = options.host;
  host.seed = options.seed;
  return host;
}

}  // namespace

MemorySource device_memory() {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  return {.take = take,
          .give = give,
          .owner = nullptr,
          .keeps = true,
          .small_unit = 512,
          .large_unit = 2 * kMiB,
          .large = kMiB};
}

ContextState::ContextState(const CudaOptions& options) {
  const Availability there = availability();
  if (there.devices.empty()) throw CudaError(message("no CUDA device can be used: ", there.reason));
  if (options.device < 0 || options.device >= static_cast<int>(there.devices.size()))
    throw CudaError(message("CUDA device ", options.device, " was asked for, there are ", there.devices.size()));
  device = there.devices[static_cast<std::size_t>(options.device)];
  check(cudaSetDevice(options.device), "choice of the device");
  owns_stream = options.stream == nullptr;
  stream = static_cast<cudaStream_t>(options.stream);
  if (owns_stream) check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  uploads = std::make_unique<UploadRing>(stream);
  downloads = std::make_unique<DownloadBuffer>(stream);
  convolutions = std::make_unique<ConvolutionEngine>(options, stream);
}

ContextState::~ContextState() {
  cudaStreamSynchronize(stream);
  convolutions.reset(), uploads.reset(), downloads.reset();
  if (owns_stream && stream != nullptr) cudaStreamDestroy(stream);
}

}  // namespace cuda

Context<Cuda>::Context(CudaOptions options)
    : options_(options),
      host_(cuda::for_host(options)),
      own_memory_(make_pool()),
      memory_(&own_memory_),
      state_(std::make_unique<cuda::ContextState>(options)) {}

Context<Cuda>::~Context() = default;

MemoryPool Context<Cuda>::make_pool() const { return MemoryPool(cuda::device_memory()); }
const cuda::DeviceInfo& Context<Cuda>::device() const { return state_->device; }
void Context<Cuda>::select() const { cuda::check(cudaSetDevice(options_.device), "choice of the device"); }
void* Context<Cuda>::stream() const {
  select();
  return state_->stream;
}
void Context<Cuda>::upload(void* to, const void* from, std::size_t bytes) {
  select();
  state_->uploads->upload(to, from, bytes);
}
void Context<Cuda>::download(void* to, const void* from, std::size_t bytes) {
  select();
  state_->downloads->download(to, from, bytes);
}
void Context<Cuda>::synchronize() {
  select();
  cuda::check(cudaStreamSynchronize(state_->stream), "work on the device");
}
std::size_t Context<Cuda>::free_memory() const {
  select();
  std::size_t free = 0, total = 0;
  cuda::check(cudaMemGetInfo(&free, &total), "free memory of the device");
  return free;
}
const std::vector<std::string>& Context<Cuda>::convolution_log() const { return state_->convolutions->log(); }
void Context<Cuda>::clear(Tensor<Cuda>& tensor) {
  const std::size_t bytes = static_cast<std::size_t>(tensor.shape().count()) * size_of(tensor.dtype());
  if (bytes == 0) return;
  std::byte* const memory = tensor.memory();
  cuda::check(cudaMemsetAsync(memory, 0, bytes, state_->stream), "clearing of a tensor");
}

}  // namespace nucdet
