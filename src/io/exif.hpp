#pragma once
#include <cstddef>
#include <span>

namespace nucdet::io::detail {

/// The orientation (1 to 8) that EXIF data, a TIFF in small, say; 1 where they say none or are damaged. The data may
/// begin with "Exif" and two zeros, as in JPEG files.
int exif_orientation(std::span<const std::byte> exif);

}  // namespace nucdet::io::detail
