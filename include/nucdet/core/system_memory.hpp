#pragma once
#include <cstddef>
#include <new>
#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#define NUCDET_HAS_MMAP 1
#else
#define NUCDET_HAS_MMAP 0
#endif

namespace nucdet::detail {

/// Memory straight from the system for large blocks, so that what is freed is free at once: malloc keeps freed blocks
/// of up to 32 MiB on its heap, where they are lost between smaller ones. Small blocks come from operator new.
inline constexpr std::size_t kFromSystem = std::size_t{1} << 20;

inline std::byte* system_take(std::size_t bytes) {
#if NUCDET_HAS_MMAP
  if (bytes >= kFromSystem) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: fewer page faults where the system grants it
#endif
    return static_cast<std::byte*>(memory);
  }
#endif
  return static_cast<std::byte*>(::operator new (bytes, std::align_val_t{64}));
}

inline void system_give(std::byte* memory, std::size_t bytes) {
#if NUCDET_HAS_MMAP
  if (bytes >= kFromSystem) {
    munmap(memory, bytes);
    return;
  }
#endif
  static_cast<void>(bytes);
  ::operator delete (memory, std::align_val_t{64});
}

}  // namespace nucdet::detail
