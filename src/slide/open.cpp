#include "nucdet/slide/open.hpp"

#include "nucdet/core/error.hpp"
#include "nucdet/io/detail/input_file.hpp"

#include "io/byte_reading.hpp"
#include "io/foreign_formats.hpp"
#include "io/jpeg2000.hpp"
#include "openslide_pyramid.hpp"
#include "tiff_pyramid.hpp"

namespace nucdet::slide {

namespace {

using namespace io::detail;
using std::string_view_literals::operator""sv;

constexpr std::string_view kGeneric =
    "generic-tiff";  // OpenSlide's name of any tiled TIFF, of which it reads pages only
constexpr std::size_t kHeadBytes = 1024;

/// The first bytes of a file. Throws IoError if it cannot be read.
std::string head_of(const std::filesystem::path& path) {
  InputFile file(path);
  std::string head(kHeadBytes, '\0');
  head.resize(file.read_some(head.data(), head.size()));
  return head;
}

/// A picture's format by its first bytes; empty for others.
std::string_view picture_format(Bytes head) {
  if (is_png(head)) return "a PNG picture";
  if (begins_with(head, "\xff\xd8\xff"sv)) return "a JPEG picture";
  if (is_jpeg2000(head)) return "a JPEG 2000 picture";
  if (begins_with(head, "RIFF"sv) && head.size() >= 12 && begins_with(head.subspan(8), "WEBP"sv))
    return "a WebP picture";
  return {};
}

/// What a file is that only OpenSlide might read, by its name, since its bytes may be those of a picture or a text, or
/// a TIFF's of which libtiff finds a part.
std::string_view format_by_name(const std::filesystem::path& path) {
  const ScannerFormat* const scanner = scanner_format(path.extension().string());
  return scanner != nullptr && scanner->by_name ? scanner->name : std::string_view{};
}

constexpr std::string_view kConversion = "QuPath, bfconvert and vips tiffsave write tiled TIFF";

#ifdef NUCDET_OPENSLIDE_LOADED
constexpr std::string_view kHowMissing = "which was not found here";
constexpr std::string_view kWayToOpenSlide =
    "; OpenSlide was not found: install libopenslide0, or Python's openslide-bin";
#else
constexpr std::string_view kHowMissing = "which this build was made without";
constexpr std::string_view kWayToOpenSlide =
    "; nucdet was built without OpenSlide: install libopenslide-dev and build again";
#endif

/// Of a file that only OpenSlide might read.
std::string without_openslide() { return std::string(openslide_version().empty() ? kWayToOpenSlide : ""); }

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view what) {
  const std::string version = openslide_version();
  throw IoError(message(path.string(), ": is ", what,
                        ", wanted a slide: a tiled TIFF (OME-TIFF, a pyramid), or what OpenSlide reads ",
                        "(SVS, NDPI, MRXS, SCN, BIF, ...), ",
                        version.empty() ? std::string(kHowMissing) : "here version " + version, "; ", kConversion));
}

[[noreturn]] void refuse_by_name(const std::filesystem::path& path, std::string_view what) {
  const std::string version = openslide_version();
  throw IoError(message(path.string(), ": is ", what, " by its name, ",
                        version.empty()
                            ? std::string("wanted SVS or a tiled TIFF (OME-TIFF, a pyramid)")
                            : "which OpenSlide " + version + " does not know, or not without files beside it",
                        without_openslide(), "; ", kConversion));
}

/// By libtiff; what it does not read OpenSlide might, where it is there.
Slide open_tiff(const std::filesystem::path& path) try {
  return Slide(detail::TiffPyramid(path));
} catch (const IoError& error) {
  const std::string without = without_openslide();
  if (without.empty()) throw;
  throw IoError(message(error.what(), without, ", if a scanner wrote it"));
}

}  // namespace

Slide open_slide(const std::filesystem::path& path) {
  const std::string head = head_of(path);
  const Bytes bytes = std::as_bytes(std::span(head));
  const std::string vendor = detail::openslide_vendor(path);
#ifdef NUCDET_WITH_OPENSLIDE
  if (!vendor.empty() && vendor != kGeneric) return Slide(detail::OpenSlidePyramid(path));
#endif
  const std::string_view named = format_by_name(path);
  if (is_tiff(bytes) && (named.empty() || vendor == kGeneric)) return open_tiff(path);
  if (!named.empty()) refuse_by_name(path, named);
  const std::string_view picture = picture_format(bytes);
  refuse(path, picture.empty() ? foreign_format(bytes) : picture);
}

bool is_slide(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return false;
  if (!format_by_name(path).empty()) return true;  // as a picture it would show a label, or a page of many
  try {
    const std::string head = head_of(path);
    const Bytes bytes = std::as_bytes(std::span(head));
    if (!picture_format(bytes).empty()) return false;  // without a look by OpenSlide
    const std::string vendor = detail::openslide_vendor(path);
    if (vendor.empty() || vendor == kGeneric) return is_tiff(bytes) && detail::is_tiff_slide(path);
    const Slide slide = open_slide(path);
    return slide.levels().size() > 1 || slide.width() * slide.height() >= detail::kSmallestSlide;
  } catch (const IoError&) { return false; }
}

}  // namespace nucdet::slide
