#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "nucdet/data/image.hpp"
#include "nucdet/io/picture.hpp"

namespace nucdet::io {

/// What read_picture reads, as [h, w, 3] RGB with values in [0, 1] (value / 255 or / 65535). It throws as that does.
Image read_image(const std::filesystem::path& path, const PictureOptions& options = {});
/// The same from memory; `where` names the source in errors.
Image decode_image(std::span<const std::byte> bytes, std::string_view where, const PictureOptions& options = {});
/// A picture as values in [0, 1]: 12 bytes a pixel beside the picture's own.
Image to_image(const Picture& picture);

/// 8-bit PNG, grey or RGB by the number of channels (1 or 3). Values are clamped to [0, 1] and rounded; NaN is 0.
/// Throws ShapeError for another number of channels or an empty image, IoError if writing fails.
void write_png(const std::filesystem::path& path, const Image& image);
/// The same of what nucdet has drawn: the file says so ("Software"), so that it is not taken for a picture to look for
/// nuclei in, and may be replaced (product_of).
void write_drawing(const std::filesystem::path& path, const Image& image);
/// A map as 8-bit grey: `low` is black, `high` is white. Throws ArgumentError unless low < high.
void write_png(const std::filesystem::path& path, const Plane& map, float low, float high);

}  // namespace nucdet::io
