#pragma once
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"

/// What points and manifests share: records of a CSV table, columns by name, numbers.
namespace nucdet::io::detail {

constexpr std::uint64_t kLargestTable = std::uint64_t{1} << 30;  // bytes

struct Record {
  Index line = 0;  // of its first character, from 1
  std::vector<std::string> fields;
};

/// A field as it may stand in a message: short and printable.
inline std::string shown(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 40)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out + (text.size() > 40 ? "...'" : "'");
}

class CsvParser {
 public:
  CsvParser(std::string_view text, std::string_view where) : text_(text), where_(where) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }

  /// False at the end. Blank lines are skipped.
  bool next(Record& record) {
    while (at_ < text_.size()) {
      record.line = line_;
      record.fields.clear();
      bool more = true;
      while (more) record.fields.push_back(field(more));
      if (record.fields.size() > 1 || !record.fields[0].empty()) return true;
    }
    return false;
  }

 private:
  /// Reads a field and the separator after it; `more` if that was a comma.
  std::string field(bool& more) {
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') {
      value = quoted();
      const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
      if (text_.substr(at_, end - at_).find_first_not_of(" \t\r") != std::string_view::npos)
        throw IoError(message(where_, ", line ", line_, ": found ", shown(text_.substr(at_, end - at_)),
                              " after a closing quote"));
      at_ = end;
    } else {
      const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
      value = trimmed(text_.substr(at_, end - at_));
      at_ = end;
    }
    more = at_ < text_.size() && text_[at_] == ',';
    if (at_ < text_.size() && !more) ++line_;
    ++at_;
    return value;
  }

  std::string quoted() {
    const Index first = line_;
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '"') {
        if (text_.substr(at_ + 1, 1) != "\"") {
          ++at_;
          return value;
        }
        ++at_;
      }
      value += text_[at_];
    }
    throw IoError(message(where_, ", line ", first, ": a quote is not closed"));
  }

  static std::string trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
  }

  std::string_view text_, where_;
  std::size_t at_ = 0;
  Index line_ = 1;
};

/// Column numbers by name.
class Header {
 public:
  Header(CsvParser& csv, std::string_view where) : where_(where) {
    Record record;
    if (!csv.next(record)) throw IoError(message(where, ": is empty, wanted a header"));
    count_ = record.fields.size();
    line_ = record.line;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!columns_.emplace(record.fields[i], i).second && !record.fields[i].empty())
        throw IoError(message(where, ", line ", line_, ": column ", shown(record.fields[i]), " is there twice"));
      found_ += (i == 0 ? "" : ",") + record.fields[i];
    }
  }
  std::size_t wanted(const std::string& name) const {
    const auto found = columns_.find(name);
    if (found == columns_.end())
      throw IoError(message(where_, ", line ", line_, ": header ", shown(found_), " lacks the column '", name, "'"));
    return found->second;
  }
  bool has(const std::string& name) const { return columns_.contains(name); }
  /// Empty if there is no such column.
  std::string text(const Record& record, const std::string& name) const {
    const auto found = columns_.find(name);
    return found == columns_.end() ? std::string() : record.fields[found->second];
  }
  void check(const Record& record) const {
    if (record.fields.size() != count_)
      throw IoError(message(where_, ", line ", record.line, ": found ", record.fields.size(),
                            " fields, the header has ", count_));
  }

 private:
  std::string_view where_;
  std::map<std::string, std::size_t> columns_;
  std::size_t count_ = 0;
  Index line_ = 1;
  std::string found_;
};

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

template <class T>
void append_number(std::string& text, T value) {
  char digits[40];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace nucdet::io::detail
