#include "csv_table.hpp"

#include <algorithm>

#include "nucdet/core/ascii.hpp"

namespace nucdet::io::detail {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Whether a character stands outside of quotes.
bool holds(std::string_view line, char wanted) {
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == wanted && !quoted) return true;
  }
  return false;
}

}  // namespace

std::string shown(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 40)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  // Not within a character.
  if (text.size() > 40)
    while (out.size() > 1 && (static_cast<unsigned char>(out.back()) & 0xC0u) == 0x80u) out.pop_back();
  return out + (text.size() > 40 ? "...'" : "'");
}

TableParser::TableParser(std::string_view text, std::string_view where, Comments comments)
    : text_(text), where_(where), comments_(comments) {
  settle_separator();
}

bool TableParser::at_comment() const {
  if (begun_ && comments_ == Comments::above) return false;
  const std::string_view line = trimmed(rest_of_line());
  // A first column may be called "#".
  return !line.empty() && line[0] == '#' &&
         (line.size() == 1 || std::string_view(",;\t\"").find(line[1]) == std::string_view::npos) && !is_row();
}

/// A line that begins with a "#" but has the header's number of fields is a row: "#ff0000,10,20".
bool TableParser::is_row() const {
  if (!begun_ || fields_ < 2 || separator_ == ' ') return false;
  const std::string_view line = rest_of_line();
  return static_cast<std::size_t>(std::count(line.begin(), line.end(), separator_)) + 1 == fields_;
}

std::string_view TableParser::rest_of_line() const {
  return text_.substr(at_, std::min(text_.find_first_of("\r\n", at_), text_.size()) - at_);
}

void TableParser::skip_line() {
  at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
  if (text_.substr(at_, 2) == "\r\n") ++at_;
  ++at_, ++line_;
}

void TableParser::settle_separator() {
  for (; at_ < text_.size(); skip_line()) {
    const std::string_view line = trimmed(rest_of_line());
    if (line.size() == 5 && line.substr(0, 4) == "sep=") {  // Excel's
      separator_ = line[4];
      skip_line();
      return;
    }
    if (at_comment()) comment_ = trimmed(line.substr(1));
    if (line.empty() || at_comment()) continue;
    for (const char candidate : {'\t', ';', ',', ' '}) {
      separator_ = candidate;
      if (holds(candidate == ' ' ? line : rest_of_line(), candidate)) return;
    }
    separator_ = ',';
    return;
  }
}

bool TableParser::next(CsvRecord& record) {
  while (at_ < text_.size()) {
    if (text_[at_] == '#' || text_[at_] == ' ') {
      if (at_comment()) {
        skip_line();
        continue;
      }
    }
    record.line = line_;
    record.fields.clear(), unescaped_.clear();
    for (bool more = true; more;) {
      if (record.fields.size() == kMostFields)
        throw IoError(message(where_, ", line ", record.line, ": more than ", kMostFields, " fields"));
      record.fields.push_back(field(more));
    }
    if (std::all_of(record.fields.begin(), record.fields.end(), [](auto f) { return f.empty(); })) continue;
    if (!begun_) fields_ = record.fields.size();
    begun_ = true;
    return true;
  }
  return false;
}

std::string_view TableParser::field(bool& more) {
  const auto ends = [&](char c) { return c == separator_ || c == '\n' || c == '\r'; };
  const auto end_of = [&](std::size_t at) {
    while (at < text_.size() && !ends(text_[at])) ++at;
    return at;
  };
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;  // before a quote, and where spaces separate
  std::string_view value;
  const bool quote = at_ < text_.size() && text_[at_] == '"';
  if (quote) value = quoted();
  const std::size_t end = end_of(at_);
  const std::string_view rest = trimmed(text_.substr(at_, end - at_));
  if (quote && !rest.empty())
    throw IoError(message(where_, ", line ", line_, ": found ", shown(rest), " after a closing quote"));
  if (!quote) value = rest;
  at_ = end;
  more = at_ < text_.size() && text_[at_] == separator_;
  if (more)
    ++at_;
  else if (at_ < text_.size())
    skip_line();
  return value;
}

std::string_view TableParser::quoted() {
  const Index first = line_;
  const std::size_t begin = ++at_;
  std::string* own = nullptr;
  for (std::size_t from = begin; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\n') ++line_;
    if (text_[at_] != '"') continue;
    const bool doubled = text_.substr(at_ + 1, 1) == "\"";
    if (doubled && own == nullptr) own = &unescaped_.emplace_back();
    if (own != nullptr) own->append(text_.substr(from, at_ - from + (doubled ? 1 : 0)));
    if (doubled) {
      from = ++at_ + 1;
      continue;
    }
    ++at_;
    return own != nullptr ? std::string_view(*own) : text_.substr(begin, at_ - 1 - begin);
  }
  throw IoError(message(where_, ", line ", first, ": a quote is not closed"));
}

std::string plain_name(std::string_view name) {
  std::string plain;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    // The micro sign and the Greek letter are both in use.
    if (name.substr(i, 2) == "\xC2\xB5" || name.substr(i, 2) == "\xCE\xBC") c = 'u', ++i;
    c = small_letter(c);
    if (std::string_view(" _-.()[]:\t\r\n").find(c) == std::string_view::npos)
      plain += c;
    else if (!plain.empty() && plain.back() != ' ')
      plain += ' ';
  }
  if (!plain.empty() && plain.back() == ' ') plain.pop_back();
  return plain;
}

Header::Header(const CsvRecord& record, std::string_view where) : where_(where), line_(record.line) {
  names_.assign(record.fields.begin(), record.fields.end());
  while (!names_.empty() && names_.back().empty()) names_.pop_back();
  for (std::size_t i = 0; i < names_.size(); ++i) columns_.emplace(plain_name(names_[i]), i);
}

Header Header::read(TableParser& table, std::string_view where) {
  CsvRecord record;
  if (!table.next(record)) throw IoError(message(where, ": is empty, wanted a header"));
  return Header(record, where);
}

std::size_t Header::find(std::string_view name) const {
  const auto [first, last] = columns_.equal_range(plain_name(name));
  if (first == last) return kNone;
  if (std::next(first) != last)
    throw IoError(message(where_, ", line ", line_, ": column ", shown(names_[first->second]), " is there twice"));
  return first->second;
}

std::size_t Header::wanted(std::string_view name) const {
  const std::size_t at = find(name);
  if (at == kNone) throw IoError(message(found(), " lacks the column '", name, "'"));
  return at;
}

std::string_view Header::text(const CsvRecord& record, std::string_view name) const {
  const std::size_t at = find(name);
  return at == kNone ? std::string_view() : record.fields[at];
}

void Header::check(CsvRecord& record) const {
  std::vector<std::string_view>& fields = record.fields;
  while (fields.size() > count() && fields.back().empty()) fields.pop_back();
  if (fields.size() != count())
    throw IoError(
        message(where_, ", line ", record.line, ": found ", fields.size(), " fields, the header has ", count()));
}

std::string Header::found() const {
  std::string all;
  for (std::size_t i = 0; i < names_.size(); ++i) all += (i == 0 ? "" : ",") + names_[i];
  return message(where_, ", line ", line_, ": header ", shown(all));
}

bool parse_decimal(std::string_view text, double& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return parse_number(text, value);
  char point[64];
  if (text.size() > sizeof point || text.find('.') != std::string_view::npos) return false;
  std::copy(text.begin(), text.end(), point);
  point[comma] = '.';
  return parse_number(std::string_view(point, text.size()), value);
}

}  // namespace nucdet::io::detail
