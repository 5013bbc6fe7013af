#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "nucdet/core/watch.hpp"

#include "rectangles.hpp"

namespace nucdet::slide::detail {

/// What a rectangle of level 0 is on a level: all pixels that it touches.
inline Rectangle at_level(const Rectangle& r, const Level& level) {
  const auto scaled = [](Index at, double downsample, Index size, bool up) {
    const double exact = static_cast<double>(at) / downsample;
    return std::clamp<Index>(static_cast<Index>(up ? std::ceil(exact) : std::floor(exact)), 0, size);
  };
  const Index left = scaled(r.x, level.downsample_x, level.width, false),
              right = scaled(r.x + r.width, level.downsample_x, level.width, true),
              top = scaled(r.y, level.downsample_y, level.height, false),
              bottom = scaled(r.y + r.height, level.downsample_y, level.height, true);
  return {left, top, right - left, bottom - top};
}

/// How much of a level is read at once: about 4096 x 1024 pixels, so 12 MB, of whole tiles, so that none is decoded for
/// two blocks; at least one tile.
struct BlockSize {
  static constexpr Index kColumns = 4096, kPixels = Index{1} << 22;

  Index width = kColumns, height = kPixels / kColumns;

  explicit BlockSize(const Level& level) {
    const Index across = level.tile_width, down = level.tile_height;
    if (across < 1 || down < 1 || down > kMostTilePixels / across) return;  // not known, or not decoded at once
    width = std::max<Index>(1, std::min(kColumns, kPixels / down) / across) * across;
    height = std::max<Index>(1, kPixels / width / down) * down;
  }
};

/// Calls visit(rectangle, its pixels) for blocks that share out `bounds` of a level, row by row. The watch counts them.
template <class Visit>
void for_blocks(const Slide& slide, Index level, const Rectangle& bounds, const Watch& watch, const Visit& visit) {
  const BlockSize size(slide.levels()[static_cast<std::size_t>(level)]);
  if (bounds.width < 1 || bounds.height < 1) return;
  const auto blocks = [](Index begin, Index length, Index block) {
    return (begin + length - 1) / block - begin / block + 1;
  };
  const Index all = blocks(bounds.x, bounds.width, size.width) * blocks(bounds.y, bounds.height, size.height);
  Index done = 0;
  std::vector<std::uint8_t> rgb;
  for (Index y = bounds.y / size.height; y * size.height < bounds.y + bounds.height; ++y)
    for (Index x = bounds.x / size.width; x * size.width < bounds.x + bounds.width; ++x) {
      watch.step("slide", done++, all);
      const Rectangle block = shared_part(bounds, {x * size.width, y * size.height, size.width, size.height});
      rgb.resize(static_cast<std::size_t>(block.width * block.height * 3));
      slide.read(level, block, rgb.data());
      visit(block, rgb.data());
    }
  if (watch.progress) watch.progress(all, all);
}

}  // namespace nucdet::slide::detail
