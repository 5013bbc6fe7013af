#include <chrono>
#include <numeric>
#include <vector>

#include "support/catch.hpp"
#include "test_helpers.hpp"

namespace {

using emulator_test::DeviceArray;
using emulator_test::Environment;
using emulator_test::launch;
using emulator_test::PinnedInt;
using emulator_test::signal_of;
using emulator_test::Stream;

constexpr unsigned kThreads = 256;

__global__ void add_vectors(const float* __restrict__ a, const float* __restrict__ b, float* sum, size_t n) {
  const size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) sum[i] = __ldg(a + i) + b[i];
}

__global__ void __launch_bounds__(kThreads) add_block(const int* values, int* total) {
  __shared__ int partial[kThreads];
  const unsigned t = threadIdx.x;
  partial[t] = values[blockIdx.x * blockDim.x + t];
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (t < half) partial[t] += partial[t + half];
    __syncthreads();
  }
  if (t == 0) atomicAdd(total, partial[0]);
}

__global__ void add_one(int* values) { values[threadIdx.x] += 1; }

__global__ void mark_blocks(int* marks) {
  if (threadIdx.x == 0) marks[blockIdx.x] = static_cast<int>(blockIdx.x);
}

__global__ void mark_cells(int* marks) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  __syncthreads();
  atomicAdd(marks + block * blockDim.x * blockDim.y * blockDim.z + thread, 1);
}

__global__ void half_a_barrier() {
  if (threadIdx.x % 2 == 0) __syncthreads();
}

__global__ void race(int* values) {
  values[threadIdx.x] = 0;
  __syncthreads();
  values[threadIdx.x] = threadIdx.x == 0 ? 1 : values[threadIdx.x - 1] + 1;
}

}  // namespace

TEST_CASE("emulated kernels add vectors") {
  const size_t n = 1000;
  std::vector<float> ones(n, 1.0F);
  std::vector<float> ramp(n);
  std::iota(ramp.begin(), ramp.end(), 0.0F);
  const Stream stream;
  const DeviceArray<float> a(ones), b(ramp), sum(n);
  const size_t before = emulator::launches();
  REQUIRE(launch(4, kThreads, stream, &add_vectors, a.data(), b.data(), sum.data(), n) == cudaSuccess);
  CHECK(emulator::launches() == before);
  const auto result = sum.read(stream);
  CHECK(emulator::launches() == before + 1);
  for (size_t i = 0; i < n; ++i) REQUIRE(result[i] == static_cast<float>(i) + 1.0F);
}

TEST_CASE("emulated threads meet at barriers") {
  std::vector<int> values(3 * kThreads);
  std::iota(values.begin(), values.end(), 0);
  const DeviceArray<int> input(values), total(std::vector<int>{0});
  REQUIRE(launch(3, kThreads, nullptr, &add_block, input.data(), total.data()) == cudaSuccess);
  CHECK(total.read()[0] == std::accumulate(values.begin(), values.end(), 0));
  CHECK(signal_of([] {
          launch(1, kThreads, nullptr, &half_a_barrier);
          cudaDeviceSynchronize();
        }) == SIGABRT);
}

TEST_CASE("emulated threads do not keep their order") {
  const DeviceArray<int> values(size_t{8});
  REQUIRE(launch(1, 8, nullptr, &race, values.data()) == cudaSuccess);
  CHECK(values.read() == std::vector<int>(8, 1));
}

TEST_CASE("emulated grids and blocks have three dimensions") {
  const dim3 grid(2, 3, 4);
  const dim3 block(5, 2, 3);
  const DeviceArray<int> marks(std::vector<int>(24 * 30, 0));
  REQUIRE(launch(grid, block, nullptr, &mark_cells, marks.data()) == cudaSuccess);
  CHECK(marks.read() == std::vector<int>(24 * 30, 1));
  CHECK(launch(1, dim3(1025), nullptr, &half_a_barrier) == cudaErrorInvalidConfiguration);
  CHECK(launch(dim3(1, 65536), 1, nullptr, &half_a_barrier) == cudaErrorInvalidConfiguration);
  CHECK(launch(dim3(0), 1, nullptr, &half_a_barrier) == cudaErrorInvalidConfiguration);
  CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("emulated copies read pinned memory late and pageable memory at once") {
  const Stream stream;
  const PinnedInt pinned(1);
  int pageable = 1;
  const DeviceArray<int> first(size_t{1}), second(size_t{1});
  REQUIRE(cudaMemcpyAsync(first.data(), pinned.data(), 4, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  REQUIRE(cudaMemcpyAsync(second.data(), &pageable, 4, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  *pinned.data() = 2;
  pageable = 2;
  CHECK(first.read(stream)[0] == 2);
  CHECK(second.read(stream)[0] == 1);
}

TEST_CASE("emulated streams wait for events") {
  const Stream first, second;
  const PinnedInt source(5);
  const DeviceArray<int> a(size_t{1}), b(size_t{1});
  cudaEvent_t copied = nullptr;
  REQUIRE(cudaEventCreate(&copied) == cudaSuccess);
  REQUIRE(cudaMemcpyAsync(a.data(), source.data(), 4, cudaMemcpyHostToDevice, first) == cudaSuccess);
  REQUIRE(cudaEventRecord(copied, first) == cudaSuccess);
  REQUIRE(launch(1, 1, first, &add_one, a.data()) == cudaSuccess);
  CHECK(cudaEventQuery(copied) == cudaErrorNotReady);
  REQUIRE(cudaStreamWaitEvent(second, copied) == cudaSuccess);
  REQUIRE(cudaMemcpyAsync(b.data(), a.data(), 4, cudaMemcpyDeviceToDevice, second) == cudaSuccess);
  CHECK(b.read(second)[0] == 5);
  CHECK(cudaEventQuery(copied) == cudaSuccess);
  CHECK(a.read(first)[0] == 6);
  float milliseconds = -1.0F;
  CHECK(cudaEventElapsedTime(&milliseconds, copied, copied) == cudaSuccess);
  CHECK(milliseconds == 0.0F);
  CHECK(cudaEventDestroy(copied) == cudaSuccess);
}

TEST_CASE("emulated device memory is out of the host's reach") {
  const DeviceArray<int> values(std::vector<int>{1, 2});
  CHECK(signal_of([&] { values.data()[0] = 3; }) == SIGSEGV);
  CHECK(values.read() == std::vector<int>{1, 2});
  int host = 0;
  CHECK(signal_of([&] { launch(1, 1, nullptr, &add_one, &host); }) == SIGABRT);
  CHECK(cudaMemcpy(values.data(), &host, 12, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaFree(values.data() + 1) == cudaErrorInvalidValue);
}

TEST_CASE("emulated writes behind an allocation are noticed") {
  const auto write_behind = [](auto check) {
    int* values = nullptr;
    cudaMalloc(&values, 31 * sizeof(int));
    launch(1, 32, nullptr, &add_one, values);
    cudaDeviceSynchronize();
    check(values);
  };
  CHECK(signal_of([&] { write_behind([](int*) {}); }) == 0);
  CHECK(signal_of([&] { write_behind([](int*) { emulator::check_guards(); }); }) == SIGABRT);
  CHECK(signal_of([&] { write_behind([](int* values) { cudaFree(values); }); }) == SIGABRT);
}

TEST_CASE("emulated device memory is bounded") {
  const Environment limit("NUCDET_EMULATED_MEMORY", "1000000");
  const size_t before = emulator::allocated();
  void* first = nullptr;
  void* second = nullptr;
  CHECK(cudaMalloc(&first, 600000) == cudaSuccess);
  CHECK(cudaMalloc(&second, 600000) == cudaErrorMemoryAllocation);
  CHECK(second == nullptr);
  CHECK(emulator::allocated() == before + 600000);
  CHECK(cudaFree(first) == cudaSuccess);
  CHECK(cudaMalloc(&second, 600000) == cudaSuccess);
  CHECK(second == first);
  CHECK(cudaFree(second) == cudaSuccess);
}

TEST_CASE("emulated graphs replay with what pinned memory holds then") {
  const Stream stream;
  const PinnedInt source(10);
  const DeviceArray<int> value(std::vector<int>{0});
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  REQUIRE(cudaMemcpyAsync(value.data(), source.data(), 4, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  REQUIRE(launch(1, 1, stream, &add_one, value.data()) == cudaSuccess);
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&executable, graph) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(value.read(stream)[0] == 0);
  for (const int replay : {20, 30}) {
    *source.data() = replay;
    REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
    CHECK(value.read(stream)[0] == replay + 1);
  }
  CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);
}

TEST_CASE("emulated captures are spoilt by calls that wait") {
  const Stream stream;
  cudaGraph_t graph = nullptr;
  void* memory = nullptr;
  int pageable = 0;
  const DeviceArray<int> value(size_t{1});
  const auto ends_with = [&](cudaStreamCaptureMode mode, auto call, cudaError_t answer, cudaError_t end) {
    REQUIRE(cudaStreamBeginCapture(stream, mode) == cudaSuccess);
    CHECK(call() == answer);
    CHECK(cudaStreamEndCapture(stream, &graph) == end);
    CHECK((graph == nullptr) == (end != cudaSuccess));
    if (graph != nullptr) cudaGraphDestroy(graph);
  };
  const auto allocate = [&] { return cudaMalloc(&memory, 4); };
  const auto copy = [&] { return cudaMemcpyAsync(value.data(), &pageable, 4, cudaMemcpyHostToDevice, stream); };
  const auto synchronize = [&] { return cudaStreamSynchronize(stream); };
  ends_with(cudaStreamCaptureModeGlobal, allocate, cudaErrorStreamCaptureUnsupported,
            cudaErrorStreamCaptureInvalidated);
  ends_with(cudaStreamCaptureModeRelaxed, allocate, cudaSuccess, cudaSuccess);
  ends_with(cudaStreamCaptureModeRelaxed, copy, cudaErrorStreamCaptureUnsupported, cudaErrorStreamCaptureInvalidated);
  ends_with(cudaStreamCaptureModeThreadLocal, synchronize, cudaErrorStreamCaptureUnsupported,
            cudaErrorStreamCaptureInvalidated);
  CHECK(cudaFree(memory) == cudaSuccess);
}

TEST_CASE("emulated work that waits for another stream leaves the host free to ask, not to wait") {
  const Stream stream;
  bool come = false;
  REQUIRE(emulator::enqueue_until(stream, [&] { return come; }) == cudaSuccess);
  CHECK(cudaStreamQuery(stream) == cudaErrorNotReady);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);  // of the others
  CHECK(signal_of([&] { cudaStreamSynchronize(stream); }) == SIGABRT);
  come = true;
  CHECK(cudaStreamQuery(stream) == cudaSuccess);
}

TEST_CASE("emulated machines may have several devices") {
  const Environment three("NUCDET_EMULATED_DEVICES", "3");
  int count = 0, number = -1;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
  CHECK(count == 3);
  CHECK(cudaSetDevice(2) == cudaSuccess);
  CHECK(cudaGetDevice(&number) == cudaSuccess);
  CHECK(number == 2);
  CHECK(cudaSetDevice(3) == cudaErrorInvalidDevice);
  cudaGetLastError();
  CHECK(cudaSetDevice(0) == cudaSuccess);
}

TEST_CASE("emulated machines may lack a device") {
  const Environment none("NUCDET_EMULATED_DEVICES", "0");
  int count = -1;
  int version = -1;
  void* memory = nullptr;
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(count == 0);
  CHECK(cudaDriverGetVersion(&version) == cudaSuccess);
  CHECK(version == 0);
  CHECK(cudaMalloc(&memory, 4) == cudaErrorNoDevice);
  CHECK(cudaGetLastError() == cudaErrorNoDevice);
}

TEST_CASE("emulated grids of many blocks run fast") {
  const unsigned blocks = 20000;
  const DeviceArray<int> marks(std::vector<int>(blocks, -1));
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(launch(blocks, kThreads, nullptr, &mark_blocks, marks.data()) == cudaSuccess);
  REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  INFO(seconds.count() << " s");
  CHECK(seconds.count() < 1.0);
  CHECK(marks.read()[blocks - 1] == static_cast<int>(blocks) - 1);
}
