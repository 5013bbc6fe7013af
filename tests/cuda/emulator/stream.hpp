#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "arena.hpp"
#include "cuda_runtime_api.h"

namespace emulator {

using Operation = std::function<void()>;

struct Capture {
  cudaStreamCaptureMode mode;
  bool invalid = false;
  std::vector<Operation> operations;
};

struct Queued {
  std::uint64_t number;  // order of all calls, over all streams
  Operation run;
  std::function<bool()> attempt = {};  // in place of `run`: tried until it is true
};

/// One recording of an event, which stays the same when the event is recorded anew.
struct Moment {
  CUstream_st* stream;
  bool reached = false;
  std::chrono::steady_clock::time_point time;
};

}  // namespace emulator

struct CUstream_st {
  bool follows_null_stream = true;
  std::deque<emulator::Queued> queue;
  std::unique_ptr<emulator::Capture> capture;
};

struct CUevent_st {
  bool timed = true;
  CUstream_st* captured_by = nullptr;
  std::shared_ptr<emulator::Moment> moment;
};

struct CUgraph_st {
  std::shared_ptr<const std::vector<emulator::Operation>> operations;
};

struct CUgraphExec_st {
  std::shared_ptr<const std::vector<emulator::Operation>> operations;
};

namespace emulator {

/// The state of all devices.
class Device {
 public:
  Arena& arena() { return arena_; }

  CUstream_st* create_stream(unsigned flags);
  void destroy_stream(CUstream_st* stream);
  /// Null if there is no such stream.
  CUstream_st* find(cudaStream_t stream);

  /// Queues an operation, or records it while the stream is capturing.
  cudaError_t add(CUstream_st& stream, Operation operation);
  cudaError_t add_attempt(CUstream_st& stream, std::function<bool()> attempt);
  /// False if the next operation is an attempt that has not come off yet.
  bool run_next(CUstream_st& stream);
  void run_all(CUstream_st& stream);
  void run_until(const Moment& moment);
  /// But for streams that wait for others' work.
  void run_everything();

  /// True during a capture in which calls that may wait for the device are forbidden. It spoils the capture.
  bool spoils_capture(bool allowed_if_relaxed);

 private:
  void run_surely(CUstream_st& stream);

  Arena arena_;
  CUstream_st null_stream_;
  std::vector<std::unique_ptr<CUstream_st>> streams_;
  std::uint64_t next_number_ = 0;
};

Device& device();
std::recursive_mutex& device_mutex();
int device_count();

/// Keeps an error for cudaGetLastError.
cudaError_t remember(cudaError_t error);

/// What all calls have in common that need a device.
template <class F>
cudaError_t api(F body) {
  const std::lock_guard lock(device_mutex());
  return remember(device_count() > 0 ? body() : cudaErrorNoDevice);
}

/// The same for a call on a stream: the body gets it if it exists.
template <class F>
cudaError_t stream_api(cudaStream_t handle, F body) {
  return api([&] {
    CUstream_st* stream = device().find(handle);
    return stream == nullptr ? cudaErrorInvalidResourceHandle : body(*stream);
  });
}

inline cudaError_t spoil(Capture& capture, cudaError_t error) {
  capture.invalid = true;
  return error;
}

}  // namespace emulator
