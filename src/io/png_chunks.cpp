#include "png_chunks.hpp"

#include "byte_reading.hpp"

namespace nucdet::io::detail {

std::span<const std::byte> png_chunk(std::span<const std::byte> png, std::string_view type) {
  constexpr std::size_t kSignature = 8, kAround = 12;  // length, type, check sum
  for (std::size_t at = kSignature; at + kAround <= png.size();) {
    const std::size_t length = number_at(png, at, 4);
    if (length > png.size() - at - kAround) return {};
    if (begins_with(png.subspan(at + 4), type)) return png.subspan(at + 8, length);
    at += length + kAround;
  }
  return {};
}

}  // namespace nucdet::io::detail
