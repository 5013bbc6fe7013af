#include <algorithm>
#include <utility>

#include "block.hpp"
#include "emulator.hpp"
#include "stream.hpp"

namespace emulator {
namespace {

std::size_t kernels_run = 0;

bool valid_configuration(const cudaLaunchConfig_t& config) {
  const dim3& grid = config.gridDim;
  const dim3& block = config.blockDim;
  if (grid.x < 1 || grid.y < 1 || grid.z < 1 || block.x < 1 || block.y < 1 || block.z < 1) return false;
  if (grid.x > 0x7fffffffU || grid.y > 65535 || grid.z > 65535) return false;
  if (block.x > 1024 || block.y > 1024 || block.z > 64) return false;
  // Shared memory whose size is chosen at launch has no counterpart here.
  return std::size_t{block.x} * block.y * block.z <= 1024 && config.dynamicSmemBytes == 0;
}

}  // namespace

Device& device() {
  // Never destroyed: objects with static storage may still release device memory at exit.
  static Device& instance = *new Device;
  return instance;
}

std::recursive_mutex& device_mutex() {
  static std::recursive_mutex& instance = *new std::recursive_mutex;
  return instance;
}

CUstream_st* Device::create_stream(unsigned flags) {
  auto stream = std::make_unique<CUstream_st>();
  stream->follows_null_stream = (flags & cudaStreamNonBlocking) == 0;
  return streams_.emplace_back(std::move(stream)).get();
}

void Device::destroy_stream(CUstream_st* stream) {
  run_all(*stream);
  std::erase_if(streams_, [&](const auto& owned) { return owned.get() == stream; });
}

CUstream_st* Device::find(cudaStream_t stream) {
  if (stream == nullptr) return &null_stream_;
  const bool known = std::any_of(streams_.begin(), streams_.end(), [&](const auto& s) { return s.get() == stream; });
  return known ? stream : nullptr;
}

cudaError_t Device::add(CUstream_st& stream, Operation operation) {
  if (stream.capture == nullptr) {
    stream.queue.push_back({next_number_++, std::move(operation), {}});
    return cudaSuccess;
  }
  if (stream.capture->invalid) return cudaErrorStreamCaptureInvalidated;
  stream.capture->operations.push_back(std::move(operation));
  return cudaSuccess;
}

cudaError_t Device::add_attempt(CUstream_st& stream, std::function<bool()> attempt) {
  if (stream.capture != nullptr) return spoil(*stream.capture, cudaErrorStreamCaptureUnsupported);
  stream.queue.push_back({next_number_++, [] {}, std::move(attempt)});
  return cudaSuccess;
}

/// The null stream and the streams that follow it wait for each other's earlier work.
bool Device::run_next(CUstream_st& stream) {
  if (stream.queue.empty()) return true;
  const Arena::Access access(arena_);
  if (const auto& attempt = stream.queue.front().attempt; attempt && !attempt()) return false;
  Queued next = std::move(stream.queue.front());
  stream.queue.pop_front();
  const auto run_earlier = [&](CUstream_st& other) {
    while (!other.queue.empty() && other.queue.front().number < next.number) run_surely(other);
  };
  if (&stream == &null_stream_) {
    for (const auto& other : streams_) {
      if (other->follows_null_stream) run_earlier(*other);
    }
  } else if (stream.follows_null_stream) {
    run_earlier(null_stream_);
  }
  next.run();
  return true;
}

/// On a device the host would wait for ever where the stream's work waits for something that the host has yet to do.
void Device::run_surely(CUstream_st& stream) {
  if (!run_next(stream)) fail("the host waits for a stream whose work waits for another stream");
}

void Device::run_all(CUstream_st& stream) {
  if (stream.queue.empty()) return;
  const Arena::Access access(arena_);
  while (!stream.queue.empty()) run_surely(stream);
}

void Device::run_until(const Moment& moment) {
  if (moment.reached) return;
  const Arena::Access access(arena_);
  while (!moment.reached) run_surely(*moment.stream);
}

void Device::run_everything() {
  const Arena::Access access(arena_);
  const auto run = [&](CUstream_st& stream) {
    while (!stream.queue.empty() && run_next(stream)) continue;
  };
  run(null_stream_);
  for (const auto& stream : streams_) run(*stream);
}

bool Device::spoils_capture(bool allowed_if_relaxed) {
  bool spoilt = false;
  for (const auto& stream : streams_) {
    if (stream->capture == nullptr) continue;
    if (allowed_if_relaxed && stream->capture->mode == cudaStreamCaptureModeRelaxed) continue;
    stream->capture->invalid = true;
    spoilt = true;
  }
  return spoilt;
}

void check_guards() {
  const std::lock_guard lock(device_mutex());
  device().arena().check_guards();
}

std::size_t launches() {
  const std::lock_guard lock(device_mutex());
  return kernels_run;
}

std::size_t allocated() {
  const std::lock_guard lock(device_mutex());
  return device().arena().used();
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> operation) {
  return stream_api(stream, [&](CUstream_st& s) { return device().add(s, std::move(operation)); });
}

cudaError_t enqueue_until(cudaStream_t stream, std::function<bool()> attempt) {
  return stream_api(stream, [&](CUstream_st& s) { return device().add_attempt(s, std::move(attempt)); });
}

cudaError_t launch(const cudaLaunchConfig_t* config, BoundKernel kernel) {
  if (config == nullptr) return api([] { return cudaErrorInvalidValue; });
  return stream_api(config->stream, [&](CUstream_st& stream) {
    if (!valid_configuration(*config)) return cudaErrorInvalidConfiguration;
    return device().add(stream, [grid = config->gridDim, block = config->blockDim, kernel = std::move(kernel)] {
      ++kernels_run;
      run_grid(grid, block, kernel);
    });
  });
}

}  // namespace emulator
