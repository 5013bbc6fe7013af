#pragma once
#include <algorithm>
#include <string>

#include "nucdet/core/error.hpp"
#include "nucdet/slide/pyramid_reader.hpp"

/// What the readers share: limits, where an error happened, and white beyond the border.
namespace nucdet::slide::detail {

/// What a file may claim, whatever its own size: pixels along a side of a level (cairo's coordinates, by which
/// OpenSlide draws, go no further), of a tile, which is decoded at once, and of a picture beside the slide.
inline constexpr Index kMostLevelSide = Index{1} << 23;
inline constexpr Index kMostTilePixels = Index{1} << 24, kMostAssociatedPixels = Index{1} << 26;

/// 8 bits of a picture's 16, rounded.
inline std::uint8_t byte_of_word(std::uint16_t v) { return static_cast<std::uint8_t>((v * 255u + 32767u) / 65535u); }

/// "level 1, 256 x 256 pixels at (512, 0)"
inline std::string place_of(Index level, const Rectangle& r) {
  return message("level ", level, ", ", r.width, " x ", r.height, " pixels at (", r.x, ", ", r.y, ")");
}

/// What two rectangles share; of no width or height where they share nothing.
inline Rectangle shared_part(const Rectangle& a, const Rectangle& b) {
  const Index x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  return {x, y, std::max<Index>(0, std::min(a.x + a.width, b.x + b.width) - x),
          std::max<Index>(0, std::min(a.y + a.height, b.y + b.height) - y)};
}

/// Fills a rectangle of a level with white and gives the part of it that lies on the level. Throws IoError for a level
/// that is not there, ArgumentError for a negative size.
inline Rectangle begin_read(const std::string& where, std::span<const Level> levels, Index level, const Rectangle& r,
                            std::uint8_t* rgb) {
  if (level < 0 || level >= static_cast<Index>(levels.size()))
    throw IoError(message(where, ": ", place_of(level, r), ": the slide has ", levels.size(), " levels, from 0"));
  if (r.width < 0 || r.height < 0) throw ArgumentError(message(where, ": ", place_of(level, r)));
  std::fill_n(rgb, r.width * r.height * 3, std::uint8_t{255});
  const Level& of = levels[static_cast<std::size_t>(level)];
  return shared_part(r, {0, 0, of.width, of.height});
}

}  // namespace nucdet::slide::detail
