#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "nucdet/io/annotations.hpp"

namespace nucdet::io::detail {

/// The centroids of the labels of a mask (PNG or TIFF; 8, 16 or 32 bits; 0 is background). Throws IoError, naming
/// `where`, for pictures that are no masks.
Annotations label_centroids(std::span<const std::byte> bytes, std::string_view where);

}  // namespace nucdet::io::detail
