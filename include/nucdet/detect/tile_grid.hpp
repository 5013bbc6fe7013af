#pragma once
#include <algorithm>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/rectangle.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet::detect {

using nucdet::Rectangle;

/// One tile: what is read, and the part of it whose results count.
struct TileRegion {
  Rectangle read, core;
};

/// Cuts an image into tiles. Their cores are the cells of one lattice, anchored at the image's first pixel: half-open,
/// they cover every pixel once. What is read is the core with `margin` pixels around it, cut at the image's border;
/// both start on multiples of `alignment`, so that the network's strides fall on the same pixels in every tile as in
/// the whole image. An image no larger than a cell is one tile, unless they are uniform.
struct TileGrid {
  static constexpr Index kAutomatic = -1;

  Index cell = kAutomatic;    ///< pixels along one side of a core; a Detector knows what fits its network, and
  Index margin = kAutomatic;  ///< that this is at least the network's reach; others must say both
  Index alignment = 16;       ///< a Detector takes its network's coarsest stride
  /// Read a whole cell and its margins wherever the image is larger than that, so that there is one shape for a device
  /// to prepare for; else no more than the core and its margin.
  bool uniform = false;

  /// Pixels read along one side, at most.
  Index window() const { return cell + 2 * margin; }

  std::vector<TileRegion> regions(Index width, Index height) const;

 private:
  struct Span {
    Index begin, end;
  };
  struct Cut {
    Span read, core;
  };
  std::vector<Cut> spans(Index size) const;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<TileRegion> TileGrid::regions(Index width, Index height) const {
  if (alignment < 1 || margin < 0 || cell < alignment || cell % alignment != 0 || margin % alignment != 0)
    throw ArgumentError(message("TileGrid: cell ", cell, ", margin ", margin, ": both must be multiples of ", alignment,
                                ", and the cell at least that"));
  if (width < 1 || height < 1) throw ArgumentError(message("TileGrid: image of ", width, 'x', height, " pixels"));
  std::vector<TileRegion> all;
  for (const auto& [y, down] : spans(height))
    for (const auto& [x, across] : spans(width))
      all.push_back({{x.begin, y.begin, x.end - x.begin, y.end - y.begin},
                     {across.begin, down.begin, across.end - across.begin, down.end - down.begin}});
  return all;
}

NUCDET_INLINE std::vector<TileGrid::Cut> TileGrid::spans(Index size) const {
  std::vector<Cut> cuts;
  if (size <= (uniform ? window() : cell)) return {{{0, size}, {0, size}}};
  const Index last = (size - window() + alignment - 1) / alignment * alignment;  // where the last window may begin
  for (Index begin = 0; begin < size; begin += cell) {
    const Index end = std::min(size, begin + cell), from = std::max<Index>(0, begin - margin);
    if (uniform) {
      const Index read = std::min(from, last);
      cuts.push_back({{read, std::min(size, read + window())}, {begin, end}});
    } else {
      cuts.push_back({{from, std::min(size, end + margin)}, {begin, end}});
    }
  }
  return cuts;
}

#endif

}  // namespace nucdet::detect
