#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace nucdet::io::detail {

/// The data of the first chunk of a type ("pHYs") in the bytes of a PNG file; empty if there is none. So nothing
/// unwanted needs be kept, and a chunk is found on either side of the pixels.
std::span<const std::byte> png_chunk(std::span<const std::byte> png, std::string_view type);

}  // namespace nucdet::io::detail
