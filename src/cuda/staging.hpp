#pragma once
#include <array>
#include <cstddef>

#include <cuda_runtime_api.h>

namespace nucdet::cuda {

/// Pinned memory through which everything goes up: a ring of slots. What is given may be reused at once, and the device
/// is waited for only when the ring has come round to a slot that it still reads.
class UploadRing {
 public:
  explicit UploadRing(cudaStream_t stream);
  ~UploadRing();
  UploadRing(const UploadRing&) = delete;
  UploadRing& operator=(const UploadRing&) = delete;

  void upload(void* to, const void* from, std::size_t bytes);

 private:
  static constexpr std::size_t kSlots = 8, kSlotBytes = std::size_t{1} << 20;
  struct Slot {
    std::byte* memory = nullptr;
    cudaEvent_t read = nullptr;  ///< the device has read what was last put here
    bool used = false;
  };
  /// Room for `bytes` in the current slot, or in the next one once it is free.
  std::byte* room(std::size_t bytes);

  cudaStream_t stream_;
  std::array<Slot, kSlots> slots_{};
  std::size_t current_ = 0, filled_ = 0;
};

/// Pinned memory through which results come down.
class DownloadBuffer {
 public:
  explicit DownloadBuffer(cudaStream_t stream);
  ~DownloadBuffer();
  DownloadBuffer(const DownloadBuffer&) = delete;
  DownloadBuffer& operator=(const DownloadBuffer&) = delete;

  /// Waits until it is there.
  void download(void* to, const void* from, std::size_t bytes);

 private:
  static constexpr std::size_t kBytes = std::size_t{1} << 20;
  cudaStream_t stream_;
  std::byte* memory_ = nullptr;
};

}  // namespace nucdet::cuda
