#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "nucdet/data/image_view.hpp"

namespace nucdet::io {

/// um a pixel, along x and y; 0 where nobody says so.
struct PixelSize {
  double x = 0, y = 0;
  std::string source{};  ///< who says so: "OME PhysicalSizeX", "Aperio MPP", "TIFF resolution", "--mpp", ...

  bool known() const { return x > 0 && y > 0; }
  /// Of square pixels of the same area; 0 where it is not known.
  double um() const { return known() ? std::sqrt(x * y) : 0; }
};

/// What a reader accepts, so that a few bytes cannot ask for all memory, and which picture of several it takes.
struct PictureOptions {
  Index pixels = Index{1} << 28;
  std::optional<Index> page{};  ///< of a file of several pages: this one, from 1; empty: see read_picture
};

/// An image as its file holds it: RGB in 8 or 16 bits, so 3 or 6 bytes a pixel; 255 or 65535 stand for 1.
struct Picture {
  using Bytes = std::vector<std::uint8_t>;
  using Words = std::vector<std::uint16_t>;

  std::string where{};   ///< the file's name
  std::string format{};  ///< "PNG", "TIFF", ...
  Index height = 0, width = 0;
  std::variant<Bytes, Words> pixels{};  ///< rows of interleaved RGB without gaps
  PixelSize pixel_size{};
  std::vector<std::string> notes{};  ///< what a user should know of how it was read: "12 bits in 16, ..."

  static constexpr Index kChannels = 3;
  int bits() const { return std::holds_alternative<Bytes>(pixels) ? 8 : 16; }
  /// What detectors and data sets take. It points into this picture.
  data::ImageView view() const {
    if (const Bytes* bytes = std::get_if<Bytes>(&pixels)) return {bytes->data(), height, width, kChannels};
    return {std::get<Words>(pixels).data(), height, width, kChannels};
  }
};

/// Reads PNG, JPEG, TIFF, JPEG 2000 or WebP, told apart by content, by what the file says of itself:
///
/// - Colours: grey is repeated, palettes are looked up, CMYK, YCbCr and CIELAB become RGB; profiles and gamma are not
///   applied. Two channels without alpha, and two or more beside the colours that nothing explains, are no picture and
///   an error.
/// - Depth: up to 8 bits become 8 bits, all others 16. Values of 16 and more bits, and floats, are scaled by the range
///   that the file declares, or else by the one that its values evidently have: of 16-bit files those of 8, 10, 12 or
///   14 bits; a note says so. Negative and non-finite values, and ranges that cannot be told, are errors.
/// - Alpha: only where it is declared; what is transparent shows white (glass). Alpha 0 everywhere is ignored.
/// - Orientation: one rule for all formats: the picture, its size and its um per pixel are those that a viewer shows
///   after turning and mirroring by the orientation tag (TIFF 274; EXIF in JPEG, PNG, WebP).
/// - Pages of a TIFF: the largest picture that is no thumbnail, mask or reduced level, SubIFDs included. Three planes
///   of one channel are joined where OME-XML or ImageJ's text says that they are channels. Several of the same size
///   are an error, unless options.page names one.
/// - um per pixel: Aperio's MPP or, without it, AppMag (40x is 0.25 um), OME PhysicalSize, ImageJ's unit, TIFF
///   resolution, PNG pHYs, JFIF density. 10 um and more from a resolution is one of prints (72, 96, 300 dpi) and counts
///   as not known.
///
/// Throws IoError if the file is missing, truncated, damaged, of another format (which is named) or kind, or larger
/// than the options allow; and for what only goes by the name of a scanner's slide (a.mrxs, a.ndpi, whose bytes may
/// be those of a small view or a label), unless options.page asks for it. A regular file is mapped: it must not be cut
/// while it is read.
Picture read_picture(const std::filesystem::path& path, const PictureOptions& options = {});
/// The same from memory; `where` names the source in errors.
Picture decode_picture(std::span<const std::byte> bytes, std::string_view where, const PictureOptions& options = {});

}  // namespace nucdet::io
