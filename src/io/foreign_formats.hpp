#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace nucdet::io::detail {

/// Throws the IoError for bytes that are in none of the formats that are read: it names the format, what is read, and
/// the way out. `where` is the file's name.
[[noreturn]] void refuse_format(std::span<const std::byte> bytes, std::string_view where);

/// What bytes are that are in none of the formats that are read: "a Zeiss CZI slide"; "of a format that is not known".
std::string_view foreign_format(std::span<const std::byte> bytes);

/// Endings of pictures that are read, in small letters.
inline constexpr std::string_view kPictureEndings[] = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".jp2"};

/// A format of slide scanners, by the ending of its files.
struct ScannerFormat {
  std::string_view ending;  ///< in small letters
  std::string_view name;    ///< "a 3DHISTECH MRXS slide"
  bool listed;              ///< a folder's files of it are images: a slide is one file, beside which no pictures lie
  bool by_name;  ///< its files look like pictures, texts, TIFF of any kind or nothing: the name says what they are
};
/// Null for the name of another file.
const ScannerFormat* scanner_format(std::string_view name);

/// As refuse_format, of a file that was recognised by other means.
[[noreturn]] void refuse_as(std::string_view what, std::string_view where);

}  // namespace nucdet::io::detail
