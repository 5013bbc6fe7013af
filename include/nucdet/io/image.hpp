#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "nucdet/data/image.hpp"

namespace nucdet::io {

/// What a reader accepts, so that a few bytes cannot ask for all memory.
struct ImageLimits {
  Index pixels = Index{1} << 28;
};

/// Reads PNG, JPEG or TIFF, told apart by content, as [h, w, 3] RGB with values in [0, 1] (value / 255 or / 65535).
///
/// Grey is repeated, palettes are looked up, transparent pixels are laid over white (glass), CMYK is turned to RGB.
/// TIFF: the first picture of the file, in strips or tiles; 16-bit grey and RGB keep their precision.
/// Gamma, colour profiles and the orientation in EXIF are ignored, so that points stay where they were annotated.
/// Throws IoError if the file is missing, truncated, damaged, of another format, or larger than the limits.
Image read_image(const std::filesystem::path& path, ImageLimits limits = {});
/// The same from memory; `where` names the source in errors.
Image decode_image(std::span<const std::byte> bytes, std::string_view where, ImageLimits limits = {});

/// 8-bit PNG, grey or RGB by the number of channels (1 or 3). Values are clamped to [0, 1] and rounded; NaN is 0.
/// Throws ShapeError for another number of channels or an empty image, IoError if writing fails.
void write_png(const std::filesystem::path& path, const Image& image);
/// The same of what nucdet has drawn: the file says so ("Software"), so that it is not taken for a picture to look for
/// nuclei in, and may be replaced (product_of).
void write_drawing(const std::filesystem::path& path, const Image& image);
/// A map as 8-bit grey: `low` is black, `high` is white. Throws ArgumentError unless low < high.
void write_png(const std::filesystem::path& path, const Plane& map, float low, float high);

}  // namespace nucdet::io
