#pragma once
#include <string>
#include <string_view>

/// Text files of other programs, as UTF-8.
namespace nucdet::io::detail {

/// A file's text as UTF-8 without a byte order mark. UTF-16 is told by its mark, or by every other byte of its head
/// being 0. It points into what it was made of where nothing had to be changed.
class Utf8Text {
 public:
  enum class Otherwise { keep, latin1 };  ///< what is done with bytes that are no UTF-8

  /// Throws IoError for UTF-16 that is none.
  Utf8Text(std::string_view bytes, std::string_view where, Otherwise otherwise);
  Utf8Text(const Utf8Text&) = delete;
  Utf8Text& operator=(const Utf8Text&) = delete;

  std::string_view text() const { return text_; }
  bool guessed() const { return guessed_; }  ///< the bytes were taken for Latin-1

 private:
  void from_utf16(std::string_view bytes, bool big_endian, std::string_view where);
  void from_latin1(std::string_view bytes);

  std::string own_;
  std::string_view text_;
  bool guessed_ = false;
};

}  // namespace nucdet::io::detail
