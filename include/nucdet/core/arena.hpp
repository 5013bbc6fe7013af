#pragma once
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <new>

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

/// Host memory for tensors: one range of addresses, taken from the system only as far as it was ever filled.
///
/// Neighbouring free pieces join, so that the memory of many small maps serves one large one. malloc either maps every
/// large block anew, which costs a forward pass a quarter of its time in cleared pages, or loses freed blocks between
/// smaller ones. What was taken stays until `trim`: a pass repeated asks the system for nothing. Not thread-safe.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    if (base_ == nullptr) return;
    unpoison(base_, open_);
    munmap(base_, size_);
  }

  /// `bytes`, a multiple of 64, aligned to 64. Throws std::bad_alloc.
  std::byte* take(std::size_t bytes) {
    auto lowest = std::find_if(free_.begin(), free_.end(), [&](const auto& piece) { return piece.second >= bytes; });
    if (lowest == free_.end()) lowest = extend(bytes);
    const std::size_t offset = lowest->first, left = lowest->second - bytes;
    free_.erase(lowest);
    if (left > 0) free_.emplace(offset + bytes, left);
    unpoison(base_ + offset, bytes);
    return base_ + offset;
  }
  void give(std::byte* memory, std::size_t bytes) {
    poison(memory, bytes);
    auto piece = free_.emplace(static_cast<std::size_t>(memory - base_), bytes).first;
    if (const auto next = std::next(piece); next != free_.end() && piece->first + piece->second == next->first) {
      piece->second += next->second;
      free_.erase(next);
    }
    if (piece == free_.begin()) return;
    if (const auto before = std::prev(piece); before->first + before->second == piece->first) {
      before->second += piece->second;
      free_.erase(piece);
    }
  }
  /// Bytes that the system was asked for and not given back: from the first to the last ever filled.
  std::size_t held() const { return end_; }

  /// Gives free pages back; those at the end leave the range.
  void trim() {
    constexpr std::size_t kPage = 4096;
    for (auto& [offset, size] : free_) {
      const std::size_t first = (offset + kPage - 1) / kPage * kPage, last = (offset + size) / kPage * kPage;
      if (last > first) madvise(base_ + first, last - first, MADV_DONTNEED);
    }
    if (free_.empty()) return;
    if (const auto last = std::prev(free_.end()); last->first + last->second == end_) {
      end_ = last->first;
      free_.erase(last);
    }
  }

 private:
  using Pieces = std::map<std::size_t, std::size_t>;

  /// A free piece of `bytes` at the end of the range.
  Pieces::iterator extend(std::size_t bytes) {
    if (base_ == nullptr) reserve();
    std::size_t offset = end_;
    if (!free_.empty() && std::prev(free_.end())->first + std::prev(free_.end())->second == end_)
      offset = std::prev(free_.end())->first;
    if (bytes > size_ - offset) throw std::bad_alloc();
    open(offset + bytes);
    end_ = offset + bytes;
    return free_.insert_or_assign(offset, bytes).first;
  }
  /// Addresses for twice what the machine has, or for as much as the system allows.
  void reserve() {
    const std::size_t machine =
        static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    for (size_ = machine / kStep * 2 * kStep; size_ >= kStep; size_ = size_ / 2 / kStep * kStep) {
      void* memory = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) continue;
      base_ = static_cast<std::byte*>(memory);
      return;
    }
    throw std::bad_alloc();
  }
  void open(std::size_t end) {
    const std::size_t wanted = std::min(size_, (end + kStep - 1) / kStep * kStep);
    if (wanted <= open_) return;
    if (mprotect(base_ + open_, wanted - open_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    madvise(base_ + open_, wanted - open_, MADV_HUGEPAGE);  // a hint: fewer page faults where the system grants it
#endif
    poison(base_ + open_, wanted - open_);
    open_ = wanted;
  }

  static constexpr std::size_t kStep = std::size_t{32} << 20;
  std::byte* base_ = nullptr;
  std::size_t size_ = 0, open_ = 0, end_ = 0;  ///< addresses reserved, made usable, ever filled
  Pieces free_;                                ///< offset -> bytes, no two adjoin
};

}  // namespace nucdet::detail
