#include "staging.hpp"

#include <algorithm>
#include <cstring>

#include "check.hpp"

namespace nucdet::cuda {

namespace {

std::byte* pinned(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), "pinned memory");
  return static_cast<std::byte*>(memory);
}

}  // namespace

UploadRing::UploadRing(cudaStream_t stream) : stream_(stream) {}

UploadRing::~UploadRing() {
  for (Slot& slot : slots_) {
    if (slot.read != nullptr) cudaEventDestroy(slot.read);
    if (slot.memory != nullptr) cudaFreeHost(slot.memory);
  }
}

std::byte* UploadRing::room(std::size_t bytes) {
  if (filled_ + bytes > kSlotBytes) {
    current_ = (current_ + 1) % kSlots, filled_ = 0;
    if (slots_[current_].used) check(cudaEventSynchronize(slots_[current_].read), "upload: wait for a slot");
  }
  Slot& slot = slots_[current_];
  if (slot.memory == nullptr) {
    slot.memory = pinned(kSlotBytes);
    check(cudaEventCreateWithFlags(&slot.read, cudaEventDisableTiming), "event");
  }
  std::byte* const place = slot.memory + filled_;
  filled_ += (bytes + 255) / 256 * 256;
  return place;
}

void UploadRing::upload(void* to, const void* from, std::size_t bytes) {
  // A captured copy would read the slot again at every replay, long after it holds something else.
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream_, &status), "upload");
  if (status != cudaStreamCaptureStatusNone) throw CudaError("upload: not possible while a graph is captured");
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t part = std::min(bytes - done, kSlotBytes);
    std::byte* const place = room(part);
    std::memcpy(place, static_cast<const std::byte*>(from) + done, part);
    check(cudaMemcpyAsync(static_cast<std::byte*>(to) + done, place, part, cudaMemcpyHostToDevice, stream_), "upload");
    check(cudaEventRecord(slots_[current_].read, stream_), "upload");
    slots_[current_].used = true;
    done += part;
  }
}

DownloadBuffer::DownloadBuffer(cudaStream_t stream) : stream_(stream) {}

DownloadBuffer::~DownloadBuffer() {
  if (memory_ != nullptr) cudaFreeHost(memory_);
}

void DownloadBuffer::download(void* to, const void* from, std::size_t bytes) {
  if (memory_ == nullptr) memory_ = pinned(kBytes);
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t part = std::min(bytes - done, kBytes);
    check(cudaMemcpyAsync(memory_, static_cast<const std::byte*>(from) + done, part, cudaMemcpyDeviceToHost, stream_),
          "download");
    check(cudaStreamSynchronize(stream_), "download");
    std::memcpy(static_cast<std::byte*>(to) + done, memory_, part);
    done += part;
  }
}

}  // namespace nucdet::cuda
