#include "text_encoding.hpp"

#include <cstdint>

#include "nucdet/core/error.hpp"
#include "nucdet/io/detail/json_text.hpp"

namespace nucdet::io::detail {

Utf8Text::Utf8Text(std::string_view bytes, std::string_view where, Otherwise otherwise) : text_(bytes) {
  const std::string_view head = bytes.substr(0, 2);
  const auto letter = [](char c) { return c >= ' ' && c <= '~'; };
  const bool zero_first = head.size() == 2 && head[0] == 0 && letter(head[1]);
  const bool zero_second = head.size() == 2 && letter(head[0]) && head[1] == 0;
  if (head == "\xFE\xFF" || zero_first)
    from_utf16(bytes.substr(zero_first ? 0 : 2), true, where);
  else if (head == "\xFF\xFE" || zero_second)
    from_utf16(bytes.substr(zero_second ? 0 : 2), false, where);
  else if (bytes.substr(0, 3) == "\xEF\xBB\xBF")
    text_.remove_prefix(3);
  if (own_.empty() && otherwise == Otherwise::latin1 && !is_utf8(text_)) from_latin1(text_);
}

void Utf8Text::from_utf16(std::string_view bytes, bool big_endian, std::string_view where) {
  if (bytes.size() % 2 != 0) throw IoError(message(where, ": UTF-16 text of an odd number of bytes: it ends early"));
  const auto unit = [&](std::size_t at) {
    const auto a = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at]));
    const auto b = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + 1]));
    return big_endian ? a << 8 | b : b << 8 | a;
  };
  own_.reserve(bytes.size() / 2);
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (code >= 0xD800 && code < 0xE000) {
      const std::uint32_t low = at + 2 < bytes.size() ? unit(at + 2) : 0;
      if (code >= 0xDC00 || low < 0xDC00 || low > 0xDFFF)
        throw IoError(message(where, ": byte ", at, " is half a character of UTF-16"));
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(own_, code);
  }
  text_ = own_;
}

void Utf8Text::from_latin1(std::string_view bytes) {
  own_.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) append_utf8(own_, static_cast<unsigned char>(c));
  text_ = own_, guessed_ = true;
}

}  // namespace nucdet::io::detail
