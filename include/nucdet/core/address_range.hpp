#pragma once
#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

// Only there where the program is built with the address sanitizer. Asked at run time: files of one program may be
// compiled with it and without.
extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void* memory, std::size_t bytes);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* memory, std::size_t bytes);
}

namespace nucdet::detail {

/// Free memory is marked, so that its use is reported.
inline void poison(std::byte* memory, std::size_t bytes) {
  if (&__asan_poison_memory_region != nullptr) __asan_poison_memory_region(memory, bytes);
}
inline void unpoison(std::byte* memory, std::size_t bytes) {
  if (&__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(memory, bytes);
}

/// A range of addresses, usable from its first byte to `open`, that grows at its end. One thread at a time.
///
/// It has at most kReserved bytes of addresses more than is usable. Where it can grow in place is arranged when it is
/// made: among addresses that are free as far as twice the machine's memory. They are not kept from others, so `open`
/// may fail.
class AddressRange {
 public:
  static constexpr std::size_t kReserved = std::size_t{512} << 20;
  static constexpr std::size_t kStep = std::size_t{32} << 20;  ///< usable bytes are a multiple of this

  /// At least `bytes` of addresses. Throws std::bad_alloc.
  explicit AddressRange(std::size_t bytes) {
    const std::size_t wanted = steps(bytes, kStep), room = twice_the_machine();
    for (const std::size_t size : {std::max(wanted, kReserved), wanted}) {
      size_ = size;
      if (void* const wide = map(nullptr, size + room, 0); wide != MAP_FAILED) {
        base_ = static_cast<std::byte*>(wide);
        munmap(base_ + size, room);
        return;
      }
      if (void* const plain = map(nullptr, size, 0); plain != MAP_FAILED) {
        base_ = static_cast<std::byte*>(plain);
        return;
      }
    }
    throw std::bad_alloc();
  }
  AddressRange(AddressRange&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)), open_(other.open_) {}
  AddressRange& operator=(AddressRange&& other) noexcept {
    std::swap(base_, other.base_), std::swap(size_, other.size_), std::swap(open_, other.open_);
    return *this;
  }
  ~AddressRange() {
    if (base_ != nullptr) unmap_from(0);
  }

  std::byte* base() const { return base_; }
  std::size_t reserved() const { return size_; }
  bool holds(const std::byte* memory) const { return memory >= base_ && memory < base_ + size_; }

  /// Makes the bytes before `end` usable. False if there is no room behind the range, or no memory.
  bool open(std::size_t end) {
    const std::size_t wanted = steps(end, kStep);
    if (wanted <= open_) return true;
    if (wanted > size_ && !grow(wanted)) return false;
    if (mprotect(base_ + open_, wanted - open_, PROT_READ | PROT_WRITE) != 0) return false;
#ifdef MADV_HUGEPAGE
    madvise(base_ + open_, wanted - open_, MADV_HUGEPAGE);  // a hint: fewer page faults where the system grants it
#endif
    poison(base_ + open_, wanted - open_);
    open_ = wanted;
    return true;
  }
  /// Gives up the addresses behind `end`, but for `reserve`.
  void close(std::size_t end, std::size_t reserve) {
    const std::size_t wanted = steps(end, kStep) + reserve;
    if (wanted < size_) unmap_from(wanted);
  }

 private:
  static std::size_t steps(std::size_t bytes, std::size_t step) { return (bytes + step - 1) / step * step; }
  static std::size_t twice_the_machine() {
    const std::size_t machine =
        static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return machine / kStep * 2 * kStep;
  }
  static void* map(std::byte* at, std::size_t bytes, int flags) {
    return mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  }
  bool grow(std::size_t wanted) {
    const std::size_t more = std::max(wanted - size_, kReserved);
    std::byte* const end = base_ + size_;
#ifdef MAP_FIXED_NOREPLACE
    void* const got = map(end, more, MAP_FIXED_NOREPLACE);
#else
    void* const got = map(end, more, 0);
#endif
    if (got == MAP_FAILED) return false;
    if (got != end) {  // older systems take the place as a wish
      munmap(got, more);
      return false;
    }
    size_ += more;
    return true;
  }
  void unmap_from(std::size_t first) {
    if (open_ > first) unpoison(base_ + first, open_ - first);
    munmap(base_ + first, size_ - first);
    size_ = first, open_ = std::min(open_, first);
  }

  std::byte* base_ = nullptr;
  std::size_t size_ = 0, open_ = 0;
};

}  // namespace nucdet::detail
