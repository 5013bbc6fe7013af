#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "nucdet/core/config.hpp"
#include "nucdet/core/utf8.hpp"

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

/// The number of a character of UTF-8, whose bytes these are.
inline char32_t number_of_character(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(bytes[i])); };
  if (bytes.size() == 1) return byte(0);
  char32_t number = byte(0) & (0xffu >> (bytes.size() + 1));
  for (std::size_t i = 1; i < bytes.size(); ++i) number = number << 6 | (byte(i) & 0x3f);
  return number;
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
    const std::size_t length = utf8_length(text), bytes = length == 0 ? 1 : length;
    if (length == 0 || detail::obeyed(detail::number_of_character(text.substr(0, length))))
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
