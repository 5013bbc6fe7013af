#include "emulator.hpp"

#include <cstdlib>
#include <cstring>

#include "stream.hpp"

using emulator::api;
using emulator::device;

namespace {

constexpr int kVersion = 13000;
constexpr int kMultiprocessors = 2;  // few, so that kernels with a loop over the grid go round it
constexpr int kMaxThreads = 1024;
constexpr int kWarpSize = 32;
constexpr int kSharedBytes = 48 << 10;
constexpr int kL2Bytes = 1 << 20;
constexpr int kBusBits = 64;
constexpr int kMajor = 9;
constexpr int kMinor = 0;
constexpr int kClockKilohertz = 1'000'000;

thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;

struct ErrorText {
  cudaError_t error;
  const char* name;
  const char* text;
};

constexpr ErrorText kErrorTexts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorIllegalState, "cudaErrorIllegalState", "the operation cannot be performed in the present state"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
};

bool is_device(int number) { return number >= 0 && number < emulator::device_count(); }

const ErrorText* find_text(cudaError_t error) {
  for (const ErrorText& entry : kErrorTexts) {
    if (entry.error == error) return &entry;
  }
  return nullptr;
}

}  // namespace

/// All of them have one memory: what a program mixes up between devices is not noticed.
int emulator::device_count() {
  const char* devices = std::getenv("NUCDET_EMULATED_DEVICES");
  return devices == nullptr ? 1 : std::atoi(devices);
}

cudaError_t emulator::remember(cudaError_t error) {
  // CUDA does not count an answer of "not ready" as an error.
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* entry = find_text(error);
  return entry == nullptr ? "unrecognized error code" : entry->name;
}

const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* entry = find_text(error);
  return entry == nullptr ? "unrecognized error code" : entry->text;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaDriverGetVersion(int* version) {
  if (version == nullptr) return emulator::remember(cudaErrorInvalidValue);
  *version = emulator::device_count() > 0 ? kVersion : 0;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return emulator::remember(cudaErrorInvalidValue);
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return emulator::remember(cudaErrorInvalidValue);
  *count = emulator::device_count();
  return api([] { return cudaSuccess; });
}

cudaError_t cudaSetDevice(int number) {
  return api([&] {
    if (!is_device(number)) return cudaErrorInvalidDevice;
    current_device = number;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* number) {
  return api([&] {
    if (number == nullptr) return cudaErrorInvalidValue;
    *number = current_device;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int number) {
  return api([&] {
    if (properties == nullptr) return cudaErrorInvalidValue;
    if (!is_device(number)) return cudaErrorInvalidDevice;
    size_t free = 0;
    *properties = {};
    std::strcpy(properties->name, "Emulated device");
    std::strcpy(properties->uuid.bytes, "emulated");
    properties->uuid.bytes[sizeof properties->uuid.bytes - 1] = static_cast<char>(number);
    properties->sharedMemPerBlock = kSharedBytes;
    properties->warpSize = kWarpSize;
    properties->maxThreadsPerBlock = kMaxThreads;
    properties->major = kMajor;
    properties->minor = kMinor;
    properties->multiProcessorCount = kMultiprocessors;
    properties->memoryBusWidth = kBusBits;
    properties->l2CacheSize = kL2Bytes;
    return cudaMemGetInfo(&free, &properties->totalGlobalMem);
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int number) {
  return api([&] {
    if (value == nullptr) return cudaErrorInvalidValue;
    if (!is_device(number)) return cudaErrorInvalidDevice;
    switch (attribute) {
      case cudaDevAttrMaxThreadsPerBlock:
        *value = kMaxThreads;
        return cudaSuccess;
      case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = kSharedBytes;
        return cudaSuccess;
      case cudaDevAttrWarpSize:
        *value = kWarpSize;
        return cudaSuccess;
      case cudaDevAttrClockRate:
        *value = kClockKilohertz;
        return cudaSuccess;
      case cudaDevAttrMultiProcessorCount:
        *value = kMultiprocessors;
        return cudaSuccess;
      case cudaDevAttrMemoryClockRate:
        *value = kClockKilohertz;
        return cudaSuccess;
      case cudaDevAttrGlobalMemoryBusWidth:
        *value = kBusBits;
        return cudaSuccess;
      case cudaDevAttrL2CacheSize:
        *value = kL2Bytes;
        return cudaSuccess;
      case cudaDevAttrComputeCapabilityMajor:
        *value = kMajor;
        return cudaSuccess;
      case cudaDevAttrComputeCapabilityMinor:
        *value = kMinor;
        return cudaSuccess;
    }
    return cudaErrorInvalidValue;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return api([] {
    if (device().spoils_capture(false)) return cudaErrorStreamCaptureUnsupported;
    device().run_everything();
    return cudaSuccess;
  });
}
