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

/// As refuse_format, of a file that was recognised by other means.
[[noreturn]] void refuse_as(std::string_view what, std::string_view where);

}  // namespace nucdet::io::detail
