#include "foreign_formats.hpp"

#include <algorithm>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/error.hpp"

#include "byte_reading.hpp"

namespace nucdet::io::detail {

namespace {

using std::string_view_literals::operator""sv;

struct Format {
  std::size_t at;
  std::string_view magic, name, way_out{};
};
constexpr std::string_view kUnpack = "unpack it first";
constexpr std::string_view kPage = "is it the answer of a server in place of the file?";

constexpr Format kFormats[] = {
    {0, "BM"sv, "a BMP picture"},
    {0, "GIF8"sv, "a GIF picture"},
    {4, "ftypheic"sv, "a HEIC picture"},
    {4, "ftypheix"sv, "a HEIC picture"},
    {4, "ftypmif1"sv, "a HEIF picture"},
    {4, "ftypavif"sv, "an AVIF picture"},
    {4, "ftyp"sv, "a film (MP4 or QuickTime)"},
    {128, "DICM"sv, "a DICOM file"},
    {0, "ZISRAWFILE"sv, "a Zeiss CZI slide"},
    {0, "\xDA\xCE\xBE\x0A"sv, "a Nikon ND2 file"},
    {0, "\x70\0\0\0"sv, "a Leica LIF file"},
    {0, "\x93NUMPY"sv, "a NumPy array (npy)"},
    {0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file (Imaris, h5)"},
    {0, "\xD0\xCF\x11\xE0"sv, "an OLE file (Olympus OIB, Zeiss ZVI, Office)"},
    {0, "8BPS"sv, "a Photoshop PSD picture"},
    {0, "#?RADIANCE"sv, "a Radiance HDR picture"},
    {0, "v/1\x01"sv, "an OpenEXR picture"},
    {0, "\xFF\x0A"sv, "a JPEG XL picture"},
    {0, "\0\0\0\x0CJXL "sv, "a JPEG XL picture"},
    {0, "SIMPLE  ="sv, "a FITS file"},
    {0, "NRRD000"sv, "an NRRD file"},
    {0, "gimp xcf"sv, "a GIMP XCF picture"},
    {0, "%PDF"sv, "a PDF document"},
    {0, "%!PS"sv, "a PostScript document"},
    {0, "\x1f\x8b"sv, "a gzip archive", kUnpack},
    {0, "PK\x03\x04"sv, "a zip archive", kUnpack},
    {0, "BZh"sv, "a bzip2 archive", kUnpack},
    {0,
     "\xFD"
     "7zXZ"sv,
     "an xz archive", kUnpack},
    {0, "7z\xBC\xAF"sv, "a 7z archive", kUnpack},
    {0, "\x28\xB5\x2F\xFD"sv, "a zstd archive", kUnpack},
    {0, kSqliteMagic, "an SQLite database"},
    {0, "version https://git-lfs"sv, "a pointer of Git LFS, not the picture itself", "git lfs pull fetches it"},
    {0, "\x89PNG"sv, "a PNG picture that is damaged or cut in its first bytes", "copy it again, in binary mode"},
};

constexpr ScannerFormat kScanners[] = {
    {".svs", "an Aperio SVS slide", true, false},  // read without OpenSlide, too
    {".ndpi", "a Hamamatsu NDPI slide", true, true},
    {".mrxs", "a 3DHISTECH MRXS slide", true, true},
    {".scn", "a Leica SCN slide", true, true},
    {".bif", "a Ventana BIF slide", true, true},
    {".svslide", "a Sakura slide", true, true},
    {".vms", "a Hamamatsu VMS slide", false, true},  // parts of it are JPEG files
    {".vmu", "a Hamamatsu VMU slide", false, true},
    {".vsi", "an Olympus VSI slide", false, true},
    {".czi", "a Zeiss CZI slide", false, false},
    {".dcm", "a DICOM file", false, false},
};

bool is_text(Bytes bytes) {
  return std::all_of(bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(bytes.size(), 512)),
                     [](std::byte b) {
                       const auto c = std::to_integer<unsigned>(b);
                       return c >= 32 || c == '\t' || c == '\n' || c == '\r';
                     });
}

bool holds(Bytes bytes, std::string_view word) {
  std::string head;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 512); ++i) {
    head += small_letter(static_cast<char>(bytes[i]));
  }
  return head.find(word) != std::string::npos;
}

/// What begins as no other format does.
Format text_format(Bytes bytes) {
  if (!is_text(bytes)) return {0, "", "of a format that is not known"};
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{32}; });
  const char c = first == bytes.end() ? ' ' : static_cast<char>(*first);
  if (c == '<' && holds(bytes, "<svg")) return {0, "", "an SVG drawing"};
  if (c == '<' && holds(bytes, "html")) return {0, "", "an HTML page", kPage};
  if (c == '<') return {0, "", "an XML text"};
  if (c == '{' || c == '[') return {0, "", "a JSON text"};
  if (bytes.size() > 2 && c == 'P' && std::to_integer<int>(bytes[1]) >= '1' && std::to_integer<int>(bytes[1]) <= '7')
    return {0, "", "a PNM picture (PBM, PGM, PPM)"};
  return {0, "", "a text"};
}

Format format_of(Bytes bytes) {
  for (const Format& f : kFormats)
    if (bytes.size() > f.at && begins_with(bytes.subspan(f.at), f.magic)) return f;
  return text_format(bytes);
}

[[noreturn]] void refuse(std::string_view where, std::string_view name, std::string_view way_out) {
  throw IoError(message(where, ": is ", name,
                        ", a format that is not read; wanted PNG, JPEG, TIFF, JPEG 2000 or WebP: ",
                        way_out.empty() ? "export it as TIFF or PNG (by QuPath, ImageJ or vips)"sv : way_out));
}

}  // namespace

const ScannerFormat* scanner_format(std::string_view name) {
  const std::string small = small_letters(std::string(name));
  const auto* const found = std::find_if(std::begin(kScanners), std::end(kScanners),
                                         [&](const ScannerFormat& f) { return small.ends_with(f.ending); });
  return found == std::end(kScanners) ? nullptr : found;
}

void refuse_as(std::string_view what, std::string_view where) { refuse(where, what, {}); }

void refuse_format(std::span<const std::byte> bytes, std::string_view where) {
  if (bytes.empty()) throw IoError(message(where, ": is empty, wanted an image: PNG, JPEG, TIFF, JPEG 2000 or WebP"));
  const Format f = format_of(bytes);
  refuse(where, f.name, f.way_out);
}

std::string_view foreign_format(std::span<const std::byte> bytes) {
  return bytes.empty() ? "empty" : format_of(bytes).name;
}

}  // namespace nucdet::io::detail
