#pragma once
#include <algorithm>

#include "cpu/convolution.hpp"

/// What the passes by Winograd's transforms share: the tiles of a map, and where their points lie in memory.
namespace nucdet::cpu {

/// The tiles of a batch of maps, numbered image by image, row by row.
struct TileGrid {
  Index images, down, across, m;
  TileGrid(const Shape& y, Index size) : images(y.n), down(pieces(y.h, size)), across(pieces(y.w, size)), m(size) {}
  Index count() const { return images * down * across; }

  /// Calls body(n, row of tiles, first column, tiles, number of the first) for the strips of [begin, end).
  template <class Body>
  void strips(Index begin, Index end, const Body& body) const {
    for (Index t = begin; t < end;) {
      const Index row = t / across, column = t % across;
      const Index count = std::min({Index{kStrip}, across - column, end - t});
      body(row / down, row % down, column, count, t - begin);
      t += count;
    }
  }
};

inline Map map_of(View<const float> x, Index n) {
  return {x.pixel(n, 0, 0), x.row_stride, x.pixel_stride, x.shape.h, x.shape.w, x.shape.c};
}

/// Elements between the planes of two points: padded, or all points of a tile would meet in one set of the cache.
inline Index plane_of(Index tiles, Index channels) { return tiles * channels + 16; }

}  // namespace nucdet::cpu
