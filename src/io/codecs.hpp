#pragma once
/// The decoders behind read_picture and the encoders behind write_png and thumbnails. Each sees one image library.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/io/picture.hpp"

namespace nucdet::io::detail {

struct EncodedImage {
  std::span<const std::byte> bytes;
  std::string_view where;
  PictureOptions options{};
};

Picture decode_png(const EncodedImage& source);
Picture decode_jpeg(const EncodedImage& source);
Picture decode_tiff(const EncodedImage& source);
Picture decode_jpeg2000(const EncodedImage& source);
Picture decode_webp(const EncodedImage& source);

/// Throws IoError for sizes below 1 or above the limit.
void check_size(const EncodedImage& source, Index width, Index height);

/// 8-bit pixels, rows without gaps, as the bytes of a PNG file; channels 1 or 3.
std::string encode_png(const std::vector<std::uint8_t>& pixels, Index width, Index height, int channels,
                       const char* software = nullptr);

/// 8-bit RGB, rows without gaps, as the bytes of a JPEG file of a quality from 1 to 100.
std::string encode_jpeg(const std::vector<std::uint8_t>& rgb, Index width, Index height, int quality);

}  // namespace nucdet::io::detail
