#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/io/picture.hpp"

namespace {

std::uint32_t crc_of(const std::uint8_t* data, std::size_t size) {
  std::uint32_t crc = ~0u;
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

/// Without right check sums no mutation of a PNG would reach the code behind them.
void mend_check_sums(std::vector<std::uint8_t>& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length =
        std::size_t{png[at]} << 24 | std::size_t{png[at + 1]} << 16 | std::size_t{png[at + 2]} << 8 | png[at + 3];
    if (length > png.size() - at - 12) return;
    const std::uint32_t crc = crc_of(png.data() + at + 4, length + 4);
    for (std::size_t i = 0; i < 4; ++i) png[at + 8 + length + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    at += length + 12;
  }
}

}  // namespace

/// Any bytes, read as PNG, JPEG, TIFF, JPEG 2000 or WebP: either an RGB picture within the limit, or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  if (size > 8 && std::memcmp(data, "\x89PNG", 4) == 0) mend_check_sums(bytes);
  try {
    const auto picture = nucdet::io::decode_picture(std::as_bytes(std::span(bytes)), "fuzz", {.pixels = 1 << 16});
    const auto values = static_cast<std::size_t>(3 * picture.width * picture.height);
    if (values < 3 || values > 3u << 16) std::abort();
    if (std::visit([](const auto& pixels) { return pixels.size(); }, picture.pixels) != values) std::abort();
    if (picture.pixel_size.x < 0 || picture.pixel_size.y < 0) std::abort();
  } catch (const nucdet::IoError&) {}
  return 0;
}
