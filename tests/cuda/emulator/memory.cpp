#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <sys/mman.h>

#include "emulator.hpp"
#include "stream.hpp"

using emulator::api;
using emulator::device;
using emulator::stream_api;

namespace {

enum class Place { kDevice, kPinned, kPageable, kInvalid };

std::size_t memory_limit() {
  const char* limit = std::getenv("NUCDET_EMULATED_MEMORY");
  return limit == nullptr ? std::size_t{2} << 30 : std::strtoull(limit, nullptr, 10);
}

/// Host memory that the device can reach: from first address to bytes.
std::map<std::uintptr_t, std::size_t>& pinned_memory() {
  static auto& instance = *new std::map<std::uintptr_t, std::size_t>;
  return instance;
}

bool is_pinned(const volatile void* pointer, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  auto next = pinned_memory().upper_bound(address);
  if (next == pinned_memory().begin()) return false;
  const auto [start, size] = *std::prev(next);
  return address - start <= size && bytes <= size - (address - start);
}

Place place_of(const void* pointer, std::size_t bytes) {
  if (pointer == nullptr) return Place::kInvalid;
  if (device().arena().contains(pointer)) {
    return device().arena().holds(pointer, bytes) ? Place::kDevice : Place::kInvalid;
  }
  return is_pinned(pointer, bytes) ? Place::kPinned : Place::kPageable;
}

bool matches(cudaMemcpyKind kind, bool from_device, bool to_device) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !from_device && !to_device;
    case cudaMemcpyHostToDevice:
      return !from_device && to_device;
    case cudaMemcpyDeviceToHost:
      return from_device && !to_device;
    case cudaMemcpyDeviceToDevice:
      return from_device && to_device;
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

/// As on a device, a copy from pageable memory is staged before the call returns, and one to pageable memory is done.
cudaError_t copy(CUstream_st& stream, void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return cudaSuccess;
  const Place source = place_of(from, bytes);
  const Place target = place_of(to, bytes);
  if (source == Place::kInvalid || target == Place::kInvalid) return cudaErrorInvalidValue;
  if (!matches(kind, source == Place::kDevice, target == Place::kDevice)) return cudaErrorInvalidValue;
  const bool pageable = source == Place::kPageable || target == Place::kPageable;
  if (pageable && stream.capture != nullptr) return spoil(*stream.capture, cudaErrorStreamCaptureUnsupported);
  if (source == Place::kPageable && target == Place::kDevice) {
    const auto* begin = static_cast<const unsigned char*>(from);
    return device().add(stream, [to, staged = std::vector<unsigned char>(begin, begin + bytes)] {
      std::memcpy(to, staged.data(), staged.size());
    });
  }
  const cudaError_t error = device().add(stream, [=] { std::memmove(to, from, bytes); });
  if (error == cudaSuccess && pageable) device().run_all(stream);
  return error;
}

}  // namespace

void emulator::check_kernel_pointer(const volatile void* pointer) {
  const std::lock_guard lock(device_mutex());
  if (pointer == nullptr || device().arena().contains(pointer) || is_pinned(pointer, 0)) return;
  fail("a kernel was given the address of pageable host memory");
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return api([&] {
    if (free == nullptr || total == nullptr) return cudaErrorInvalidValue;
    *total = memory_limit();
    *free = *total - std::min(*total, device().arena().used());
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** pointer, size_t size) {
  return api([&] {
    if (pointer == nullptr) return cudaErrorInvalidValue;
    *pointer = nullptr;
    if (device().spoils_capture(true)) return cudaErrorStreamCaptureUnsupported;
    if (size == 0) return cudaSuccess;
    *pointer = device().arena().allocate(size, memory_limit());
    return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFree(void* pointer) {
  return api([&] {
    if (device().spoils_capture(true)) return cudaErrorStreamCaptureUnsupported;
    if (pointer == nullptr) return cudaSuccess;
    device().run_everything();
    return device().arena().release(pointer) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaHostAlloc(void** pointer, size_t size, unsigned int) {
  return api([&] {
    if (pointer == nullptr) return cudaErrorInvalidValue;
    *pointer = nullptr;
    if (device().spoils_capture(true)) return cudaErrorStreamCaptureUnsupported;
    if (size == 0) return cudaSuccess;
    // Pages of its own, so that an operation which reads it after its release crashes.
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return cudaErrorMemoryAllocation;
    pinned_memory().emplace(reinterpret_cast<std::uintptr_t>(memory), size);
    *pointer = memory;
    return cudaSuccess;
  });
}

cudaError_t cudaFreeHost(void* pointer) {
  return api([&] {
    if (device().spoils_capture(true)) return cudaErrorStreamCaptureUnsupported;
    if (pointer == nullptr) return cudaSuccess;
    const auto found = pinned_memory().find(reinterpret_cast<std::uintptr_t>(pointer));
    if (found == pinned_memory().end()) return cudaErrorInvalidValue;
    munmap(pointer, found->second);
    pinned_memory().erase(found);
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t count, cudaMemcpyKind kind) {
  return stream_api(nullptr, [&](CUstream_st& stream) {
    if (device().spoils_capture(false)) return cudaErrorStreamCaptureUnsupported;
    const cudaError_t error = copy(stream, to, from, count, kind);
    if (error == cudaSuccess) device().run_all(stream);
    return error;
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t count, cudaMemcpyKind kind, cudaStream_t stream) {
  return stream_api(stream, [&](CUstream_st& s) { return copy(s, to, from, count, kind); });
}

cudaError_t cudaMemsetAsync(void* pointer, int value, size_t count, cudaStream_t stream) {
  return stream_api(stream, [&](CUstream_st& s) {
    if (count == 0) return cudaSuccess;
    const Place place = place_of(pointer, count);
    if (place != Place::kDevice && place != Place::kPinned) return cudaErrorInvalidValue;
    return device().add(s, [=] { std::memset(pointer, value, count); });
  });
}
