#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "nucdet/core/error.hpp"
#include "nucdet/core/utf8.hpp"

namespace nucdet::io::detail {

inline void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  }
}

/// `text` (UTF-8) as a JSON string, with its quotes.
inline std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      const char* digits = "0123456789abcdef";
      out += "\\u00", out += digits[c >> 4 & 15], out += digits[c & 15];
    } else {
      out += c;
    }
  }
  return out += '"';
}

/// Reads JSON text token by token. The caller knows the grammar, so nothing recurses and nothing nests by the file's
/// will. Throws IoError that says where, at which byte, what was found and what was wanted.
class JsonText {
 public:
  JsonText(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  bool accept(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string("'") + wanted + "'");
  }
  /// Only white space may be left.
  void expect_end() {
    skip_space();
    if (at_ != text_.size()) fail("the end of the header");
  }

  /// Digits only: no sign, fraction, exponent or leading zero; at most 2^63 - 1.
  std::uint64_t integer() {
    skip_space();
    const auto digit = [this] { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; };
    if (!digit()) fail("a whole number");
    const std::size_t first = at_;
    std::uint64_t value = 0;
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    for (; digit(); ++at_) {
      const auto d = static_cast<std::uint64_t>(text_[at_] - '0');
      if (value > (most - d) / 10) fail("a number below 2^63");
      value = value * 10 + d;
    }
    if (text_[first] == '0' && at_ != first + 1) fail("a number without leading zeros");
    return value;
  }

  std::string string() {
    expect('"');
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) fail("a closing quote");
      const char c = text_[at_];
      if (c == '"') break;
      if (c == '\\') {
        ++at_;
        escape(out);
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character written as an escape");
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) fail("UTF-8");
      out.append(text_.substr(at_, length));
      at_ += length;
    }
    ++at_;
    return out;
  }

  [[noreturn]] void fail(const std::string& wanted) const {
    std::string found = "the end";
    if (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      found = c >= 0x20 && c < 0x7F ? std::string("'") + text_[at_] + "'" : "byte " + std::to_string(c);
    }
    throw IoError(message(where_, ": header byte ", at_, ": found ", found, ", wanted ", wanted));
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  std::uint32_t hex4() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : ' ';
      const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!letter && (c < '0' || c > '9')) fail("four hexadecimal digits");
      value = value * 16 + static_cast<std::uint32_t>(letter ? (c | 32) - 'a' + 10 : c - '0');
    }
    return value;
  }
  void escape(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) fail("an escape");
    const std::size_t which = names.find(text_[at_]);
    if (which != std::string_view::npos) {
      out += values[which];
      ++at_;
      return;
    }
    if (text_[at_] != 'u') fail("an escape");
    ++at_;
    std::uint32_t code = hex4();
    if (code >= 0xDC00 && code < 0xE000) fail("a high surrogate before a low one");
    if (code >= 0xD800 && code < 0xDC00) {
      if (text_.substr(at_, 2) != "\\u") fail("a low surrogate");
      at_ += 2;
      const std::uint32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) fail("a low surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
  }

  std::string_view text_, where_;
  std::size_t at_ = 0;
};

}  // namespace nucdet::io::detail
