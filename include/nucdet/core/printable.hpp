#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "nucdet/core/config.hpp"

/// Text that comes from elsewhere (names of files, metadata), made safe to print: a terminal obeys escape sequences,
/// and a tab or a newline in a name would tear a table.
namespace nucdet {

/// The text with each byte of a control character, of a character that turns the direction of writing or ends a line,
/// and of what is no UTF-8 in place of itself as `\x1b`. Everything else stays as it is.
std::string printable(std::string_view text);

/// The same for a whole message, whose lists stand on lines that begin with two spaces: such line ends stay.
std::string printable_message(std::string_view text);

#ifdef NUCDET_INLINE

namespace detail {

/// Bytes of the UTF-8 character at the beginning of the text, and its number; 0 bytes where there is none.
struct Utf8Character {
  std::size_t bytes = 0;
  char32_t number = 0;
};

inline Utf8Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t bytes = first >= 0xf0 && first < 0xf5   ? 4
                            : first >= 0xe0 && first < 0xf0 ? 3
                            : first >= 0xc2                 ? 2
                                                            : 0;
  if (bytes == 0 || first >= 0xf5 || text.size() < bytes) return {};
  char32_t number = first & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    number = number << 6 | (byte(i) & 0x3f);
  }
  const bool too_long = (bytes == 3 && number < 0x800) || (bytes == 4 && number < 0x10000);
  if (too_long || number > 0x10ffff || (number >= 0xd800 && number < 0xe000)) return {};
  return {bytes, number};
}

/// Control characters; marks that end a line or turn the direction of writing, as attacks on readers do.
inline bool obeyed(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

}  // namespace detail

NUCDET_INLINE std::string printable(std::string_view text) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const detail::Utf8Character c = detail::first_character(text);
    const std::size_t bytes = c.bytes == 0 ? 1 : c.bytes;
    if (c.bytes == 0 || detail::obeyed(c.number))
      for (std::size_t i = 0; i < bytes; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        shown += "\\x", shown += kDigits[byte >> 4], shown += kDigits[byte & 15];
      }
    else
      shown += text.substr(0, bytes);
    text.remove_prefix(bytes);
  }
  return shown;
}

NUCDET_INLINE std::string printable_message(std::string_view text) {
  std::string shown;
  for (;;) {
    const std::size_t end = text.find("\n  ");
    shown += printable(text.substr(0, end));
    if (end == std::string_view::npos) return shown;
    shown += '\n';
    text.remove_prefix(end + 1);
  }
}

#endif

}  // namespace nucdet
