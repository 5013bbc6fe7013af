#pragma once
#include <charconv>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"

/// What points and manifests share: records of a table, columns by name, numbers.
namespace nucdet::io::detail {

constexpr std::uint64_t kLargestTable = std::uint64_t{1} << 30;  // bytes
constexpr std::size_t kMostFields = 1024;                        // in a record

/// A line of a table. Its fields lie in the text or the parser, and change with the next record.
struct CsvRecord {
  Index line = 0;  // of its first character, from 1
  std::vector<std::string_view> fields;
};

/// A field as it may stand in a message: short and printable.
std::string shown(std::string_view text);

/// Reads tables as spreadsheets and other programs write them. The first line settles what separates fields: a tab
/// where it has one, else a semicolon, else a comma, else spaces; or a line "sep=;" above it says so. Lines end with
/// LF, CRLF or CR. Blank lines and lines of nothing but separators are skipped.
class TableParser {
 public:
  /// Where a line that begins with # is a comment: anywhere, or above the header alone.
  enum class Comments { anywhere, above };

  TableParser(std::string_view text, std::string_view where, Comments comments);

  /// False at the end.
  bool next(CsvRecord& record);
  char separator() const { return separator_; }
  /// The last comment above the first record, without its #.
  std::string_view comment() const { return comment_; }

 private:
  bool at_comment() const;
  bool is_row() const;
  std::string_view rest_of_line() const;
  void skip_line();
  void settle_separator();
  /// Reads a field and the separator after it; `more` if there was one.
  std::string_view field(bool& more);
  std::string_view quoted();

  std::string_view text_, where_;
  Comments comments_;
  char separator_ = ',';
  std::size_t at_ = 0;
  Index line_ = 1;
  bool begun_ = false;
  std::size_t fields_ = 0;  // of the first record
  std::string_view comment_;
  std::deque<std::string> unescaped_;  // of this record, where quotes stood in a field
};

/// A column's name as it is compared: "Centroid X µm", "centroid_x_um" and "Centroid X (um)" are one.
std::string plain_name(std::string_view name);

/// Column numbers by name.
class Header {
 public:
  Header(const CsvRecord& record, std::string_view where);
  /// Reads the first record. Throws IoError if there is none.
  static Header read(TableParser& table, std::string_view where);

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  /// The number of a column, kNone if there is none. Throws IoError if the name is there twice.
  std::size_t find(std::string_view name) const;
  /// Throws IoError if there is none.
  std::size_t wanted(std::string_view name) const;
  /// Empty if there is no such column.
  std::string_view text(const CsvRecord& record, std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != kNone; }
  std::size_t count() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }  ///< as they are written
  /// Brings the record to the header's number of fields, if what is more is empty, else throws IoError.
  void check(CsvRecord& record) const;
  /// "header 'a,b'", with where and line, for errors.
  std::string found() const;

 private:
  std::string_view where_;
  Index line_ = 1;
  std::vector<std::string> names_;
  std::multimap<std::string, std::size_t, std::less<>> columns_;
};

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// A decimal number as spreadsheets write it: with a sign, and a comma for the point where a field can hold one.
bool parse_decimal(std::string_view text, double& value);

template <class T>
void append_number(std::string& text, T value) {
  char digits[40];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace nucdet::io::detail
