#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "nucdet/core/address_range.hpp"
#include "nucdet/core/config.hpp"

namespace nucdet::detail {

/// Host memory for tensors: a range of addresses, taken from the system only as far as it was ever filled.
///
/// Neighbouring free pieces join, so that the memory of many small maps serves one large one. malloc either maps every
/// large block anew, which costs a forward pass a quarter of its time in cleared pages, or loses freed blocks between
/// smaller ones. What was taken stays until `trim`: a pass repeated asks the system for nothing, nor the heap. Where
/// the range cannot grow, another is begun. Of addresses it holds at most 544 MiB more than of memory. One thread at a
/// time.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `bytes`, a multiple of 64, aligned to 64, from the lowest free piece that has them. Throws std::bad_alloc.
  std::byte* take(std::size_t bytes);
  void give(std::byte* memory, std::size_t bytes);
  /// Bytes that the system was asked for and not given back: from the first to the last ever filled.
  std::size_t held() const;

  /// Gives free pages back; those at the end leave the range.
  void trim();

 private:
  struct Piece {
    std::size_t offset, bytes;
    std::size_t end() const { return offset + bytes; }
  };
  struct Region {
    AddressRange range;
    std::size_t end = 0;      ///< of what was ever filled
    std::vector<Piece> free;  ///< by offset, no two adjoin; a few dozen, so that a search is a walk

    bool ends_free() const { return !free.empty() && free.back().end() == end; }
    /// Makes the last free piece one of `bytes` at the end.
    bool extend(std::size_t bytes);
    void trim() {
      constexpr std::size_t kPage = 4096;
      for (const Piece& piece : free) {
        const std::size_t first = (piece.offset + kPage - 1) / kPage * kPage, last = piece.end() / kPage * kPage;
        if (last > first) madvise(range.base() + first, last - first, MADV_DONTNEED);
      }
      if (ends_free()) end = free.back().offset, free.pop_back();
      range.close(end, AddressRange::kReserved);
    }
  };

  static std::byte* cut(Region& region, std::size_t index, std::size_t bytes);

  std::vector<Region> regions_;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE std::byte* Arena::take(std::size_t bytes) {
  for (Region& region : regions_)
    for (std::size_t i = 0; i < region.free.size(); ++i)
      if (region.free[i].bytes >= bytes) return cut(region, i, bytes);
  if (!regions_.empty()) {
    Region& last = regions_.back();
    if (last.extend(bytes)) return cut(last, last.free.size() - 1, bytes);
    last.range.close(last.end, 0);  // what it has reserved and cannot use
  }
  regions_.push_back({AddressRange(bytes), 0, {}});
  Region& fresh = regions_.back();
  if (!fresh.extend(bytes)) {
    regions_.pop_back();
    throw std::bad_alloc();
  }
  return cut(fresh, 0, bytes);
}

NUCDET_INLINE void Arena::give(std::byte* memory, std::size_t bytes) {
  poison(memory, bytes);
  Region& region =
      *std::find_if(regions_.begin(), regions_.end(), [memory](const Region& r) { return r.range.holds(memory); });
  const std::size_t offset = static_cast<std::size_t>(memory - region.range.base());
  auto next = std::lower_bound(region.free.begin(), region.free.end(), offset,
                               [](const Piece& p, std::size_t at) { return p.offset < at; });
  const bool joins_next = next != region.free.end() && offset + bytes == next->offset;
  const bool joins_before = next != region.free.begin() && (next - 1)->end() == offset;
  if (joins_before) {
    (next - 1)->bytes += bytes + (joins_next ? next->bytes : 0);
    if (joins_next) region.free.erase(next);
  } else if (joins_next) {
    *next = {offset, next->bytes + bytes};
  } else {
    region.free.insert(next, {offset, bytes});
  }
}

NUCDET_INLINE std::size_t Arena::held() const {
  std::size_t bytes = 0;
  for (const Region& region : regions_) bytes += region.end;
  return bytes;
}

NUCDET_INLINE bool Arena::Region::extend(std::size_t bytes) {
  const std::size_t offset = ends_free() ? free.back().offset : end;
  if (!range.open(offset + bytes)) return false;
  if (ends_free()) free.pop_back();
  end = offset + bytes;
  free.push_back({offset, bytes});
  return true;
}

NUCDET_INLINE void Arena::trim() {
  for (Region& region : regions_) region.trim();
  std::erase_if(regions_, [](const Region& region) { return region.end == 0; });
}

NUCDET_INLINE std::byte* Arena::cut(Region& region, std::size_t index, std::size_t bytes) {
  Piece& piece = region.free[index];
  std::byte* const memory = region.range.base() + piece.offset;
  piece = {piece.offset + bytes, piece.bytes - bytes};
  if (piece.bytes == 0) region.free.erase(region.free.begin() + static_cast<std::ptrdiff_t>(index));
  unpoison(memory, bytes);
  return memory;
}

#endif

}  // namespace nucdet::detail
