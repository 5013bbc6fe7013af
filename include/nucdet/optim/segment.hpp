#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::optim {

/// A run of the flat parameter store that is treated alike, usually one named entry.
struct Segment {
  Index offset = 0, count = 0;
  bool decay = true;    ///< takes part in weight decay
  bool frozen = false;  ///< is left as it is, bit for bit
};

namespace detail {

/// Elements given to one call of a kernel: short enough to share out, long enough to make vectors of.
inline constexpr Index kBlock = 4096;

/// A flat array as rows of kBlock elements; the last row may be shorter (`block_end`).
inline Shape blocks(std::size_t size) { return {1, (static_cast<Index>(size) + kBlock - 1) / kBlock, kBlock, 1}; }

/// The part of a flat array that a tile of `blocks` owns.
struct FlatRange {
  Index from, to;
  NUCDET_HD FlatRange(const exec::Tile& tile, Index size)
      : from(tile.y * kBlock + tile.x0), to(tile.y * kBlock + tile.x1 < size ? tile.y * kBlock + tile.x1 : size) {}
};

/// Throws ShapeError unless the segments lie in order, apart and within [0, size). No segments means one, of
/// everything.
std::vector<Segment> checked(const char* where, std::span<const Segment> segments, std::size_t size);

/// Calls visit(segment, from, to) for each part of a segment that is not frozen within [from, to).
template <class Visit>
NUCDET_HD void for_each_part(const Segment* segments, Index count, Index from, Index to, const Visit& visit) {
  Index low = 0, high = count;  // the first segment that ends after `from`
  while (low < high) {
    const Index middle = (low + high) / 2;
    if (segments[middle].offset + segments[middle].count > from)
      high = middle;
    else
      low = middle + 1;
  }
  for (Index i = low; i < count && segments[i].offset < to; ++i) {
    const Index first = segments[i].offset > from ? segments[i].offset : from;
    const Index end = segments[i].offset + segments[i].count;
    const Index last = end < to ? end : to;
    if (!segments[i].frozen && first < last) visit(segments[i], first, last);
  }
}

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<Segment> checked(const char* where, std::span<const Segment> segments, std::size_t size) {
  if (segments.empty()) return {{.offset = 0, .count = static_cast<Index>(size)}};
  Index end = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& s = segments[i];
    if (s.offset < end || s.count < 0 || s.count > static_cast<Index>(size) - s.offset)
      throw ShapeError(message(where, ": segment ", i, " has offset ", s.offset, " and count ", s.count,
                               ", must lie in [", end, ", ", size, ")"));
    end = s.offset + s.count;
  }
  return {segments.begin(), segments.end()};
}

#endif

}  // namespace detail

/// Segments in the device's memory, checked: what every step of a training uses again.
template <class Device>
class SegmentList {
 public:
  /// size: of the flat store, elements. Throws ShapeError unless the segments lie in order, apart and within it; none
  /// at all means one, of everything.
  SegmentList(Context<Device>& context, std::span<const Segment> segments, std::size_t size) : size_(size) {
    const std::vector<Segment> parts = detail::checked("SegmentList", segments, size);
    parts_ = DeviceArray<Segment, Device>(context, parts.data(), parts.size());
  }
  const Segment* data() const { return parts_.data(); }
  Index count() const { return static_cast<Index>(parts_.size()); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  DeviceArray<Segment, Device> parts_;
};

}  // namespace nucdet::optim
