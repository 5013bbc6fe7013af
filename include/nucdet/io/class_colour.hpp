#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace nucdet::io {

/// The colour of a class, 0 to 255 each: the palette of Okabe and Ito (2008), which the colour-blind can tell, without
/// its black. Beyond seven classes the colours come again; an unknown one has light blue.
constexpr std::array<std::uint8_t, 3> class_colour(int class_id) {
  // Orange, sky blue, bluish green, yellow, blue, vermilion, reddish purple.
  constexpr std::array<std::array<std::uint8_t, 3>, 7> palette{
      {{230, 159, 0}, {86, 180, 233}, {0, 158, 115}, {240, 228, 66}, {0, 114, 178}, {213, 94, 0}, {204, 121, 167}}};
  if (class_id < 0) return {0, 160, 255};
  return palette[static_cast<std::size_t>(class_id) % palette.size()];
}

}  // namespace nucdet::io
