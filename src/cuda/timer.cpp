#include <cuda_runtime_api.h>

#include "nucdet/core/device_timer.hpp"

#include "check.hpp"
#include "context_state.hpp"

namespace nucdet::cuda {

namespace {

void* new_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "event");
  return event;
}

}  // namespace

Timer::Timer(Context<Cuda>& context) : context_(context), first_(new_event()), last_(new_event()) {}
Timer::~Timer() {
  cudaEventDestroy(static_cast<cudaEvent_t>(first_));
  cudaEventDestroy(static_cast<cudaEvent_t>(last_));
}
void Timer::begin() { check(cudaEventRecord(static_cast<cudaEvent_t>(first_), context_.state().stream), "timer"); }
double Timer::end() {
  float milliseconds = 0;
  check(cudaEventRecord(static_cast<cudaEvent_t>(last_), context_.state().stream), "timer");
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(last_)), "timed work");
  check(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(first_), static_cast<cudaEvent_t>(last_)),
        "timer");
  return static_cast<double>(milliseconds);
}

}  // namespace nucdet::cuda
