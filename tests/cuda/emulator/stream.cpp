#include "stream.hpp"

#include <utility>

using emulator::api;
using emulator::device;
using emulator::stream_api;

namespace {

bool is_done(const CUevent_st& event) { return event.moment == nullptr || event.moment->reached; }

/// An event that was recorded inside a capture marks a place in a graph: nobody can wait for it on the host.
cudaError_t check_waitable(const CUevent_st* event) {
  if (event == nullptr) return cudaErrorInvalidResourceHandle;
  if (event->captured_by != nullptr) return cudaErrorCapturedEvent;
  return device().spoils_capture(true) ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}

cudaError_t check_not_capturing(CUstream_st& stream) {
  if (stream.capture == nullptr) return cudaSuccess;
  return spoil(*stream.capture, cudaErrorStreamCaptureUnsupported);
}

/// A graph is recorded in the order of its one stream, so an event of that stream adds nothing.
cudaError_t wait_in_capture(CUstream_st& stream, const CUevent_st& event) {
  if (stream.capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (event.captured_by == &stream) return cudaSuccess;
  return spoil(*stream.capture, cudaErrorStreamCaptureIsolation);
}

}  // namespace

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  return api([&] {
    if (stream == nullptr || flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
    *stream = device().create_stream(flags);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (const cudaError_t error = check_not_capturing(s); error != cudaSuccess) return error;
    device().destroy_stream(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return stream_api(stream, [](CUstream_st& s) {
    if (const cudaError_t error = check_not_capturing(s); error != cudaSuccess) return error;
    device().run_all(s);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return stream_api(stream, [](CUstream_st& s) {
    if (const cudaError_t error = check_not_capturing(s); error != cudaSuccess) return error;
    // A loop of queries has to come to an end.
    device().run_next(s);
    return s.queue.empty() ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    const bool recorded = event->captured_by != nullptr || event->moment != nullptr;
    if (!recorded) return cudaSuccess;
    if (s.capture != nullptr) return wait_in_capture(s, *event);
    // On a device the stream would join the capture. The emulator captures one stream at a time.
    if (event->captured_by != nullptr) return cudaErrorStreamCaptureUnsupported;
    return device().add(s, [moment = event->moment] { device().run_until(*moment); });
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  return api([&] {
    if (event == nullptr) return cudaErrorInvalidValue;
    *event = new CUevent_st{.timed = (flags & cudaEventDisableTiming) == 0, .captured_by = nullptr, .moment = nullptr};
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    if (s.capture != nullptr) {
      if (s.capture->invalid) return cudaErrorStreamCaptureInvalidated;
      event->captured_by = &s;
      event->moment = nullptr;
      return cudaSuccess;
    }
    event->captured_by = nullptr;
    event->moment = std::make_shared<emulator::Moment>(emulator::Moment{.stream = &s, .reached = false, .time = {}});
    return device().add(s, [moment = event->moment] {
      moment->reached = true;
      moment->time = std::chrono::steady_clock::now();
    });
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return api([&] {
    if (const cudaError_t error = check_waitable(event); error != cudaSuccess) return error;
    if (event->moment != nullptr) device().run_until(*event->moment);
    return cudaSuccess;
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return api([&] {
    if (const cudaError_t error = check_waitable(event); error != cudaSuccess) return error;
    if (!is_done(*event)) device().run_next(*event->moment->stream);
    return is_done(*event) ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return api([&] {
    if (milliseconds == nullptr) return cudaErrorInvalidValue;
    for (const CUevent_st* event : {start, end}) {
      if (event == nullptr || !event->timed || event->moment == nullptr) return cudaErrorInvalidResourceHandle;
    }
    if (!is_done(*start) || !is_done(*end)) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(end->moment->time - start->moment->time).count();
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return api([&] {
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    delete event;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (stream == nullptr) return cudaErrorStreamCaptureUnsupported;
    if (s.capture != nullptr) return cudaErrorIllegalState;
    s.capture =
        std::make_unique<emulator::Capture>(emulator::Capture{.mode = mode, .invalid = false, .operations = {}});
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (graph == nullptr) return cudaErrorInvalidValue;
    *graph = nullptr;
    if (s.capture == nullptr) return cudaErrorIllegalState;
    const auto capture = std::exchange(s.capture, nullptr);
    if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
    *graph = new CUgraph_st{std::make_shared<const std::vector<emulator::Operation>>(std::move(capture->operations))};
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (status == nullptr) return cudaErrorInvalidValue;
    *status = s.capture == nullptr ? cudaStreamCaptureStatusNone
              : s.capture->invalid ? cudaStreamCaptureStatusInvalidated
                                   : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  return api([&] {
    if (executable == nullptr || graph == nullptr) return cudaErrorInvalidValue;
    *executable = new CUgraphExec_st{graph->operations};
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (executable == nullptr) return cudaErrorInvalidValue;
    if (const cudaError_t error = check_not_capturing(s); error != cudaSuccess) return error;
    return device().add(s, [operations = executable->operations] {
      for (const auto& operation : *operations) operation();
    });
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return api([&] {
    if (graph == nullptr) return cudaErrorInvalidValue;
    delete graph;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return api([&] {
    if (executable == nullptr) return cudaErrorInvalidValue;
    delete executable;
    return cudaSuccess;
  });
}
