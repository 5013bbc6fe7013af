#include "nucdet/io/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "nucdet/core/error.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/detail/input_file.hpp"
#include "nucdet/io/detail/json_text.hpp"

namespace nucdet::io {

namespace {

constexpr std::uint64_t kFileLimit = std::uint64_t{1} << 30;
constexpr double kLargestCoordinate = 1e9;

struct Record {
  Index line = 0;  // of its first character, from 1
  std::vector<std::string> fields;
};

/// A field as it may stand in a message: short and printable.
std::string shown(std::string_view text) {
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

void append_point(std::string& text, Point p, std::size_t index) {
  if (!(std::abs(p.x) <= kLargestCoordinate && std::abs(p.y) <= kLargestCoordinate))
    throw ArgumentError(message("write_points: point ", index, " is (", p.x, ", ", p.y, ")"));
  append_number(text, p.x);
  text += ',';
  append_number(text, p.y);
}

/// Collects what is wrong, to say it all at once.
class Problems {
 public:
  void add(std::string problem) {
    if (++count_ <= 10) text_ += "\n  " + std::move(problem);
  }
  void raise(std::string_view where) const {
    if (count_ == 0) return;
    const std::string more = count_ > 10 ? message("\n  and ", count_ - 10, " more") : "";
    throw IoError(message(where, ": ", count_, count_ == 1 ? " problem:" : " problems:", text_, more));
  }

 private:
  Index count_ = 0;
  std::string text_;
};

template <class T>
void read_field(const Header& header, const Record& record, const std::string& name, T least, T& value,
                Problems& problems) {
  const std::string text = header.text(record, name);
  T parsed{};
  if (text.empty()) return;
  const bool fits = parse_number(text, parsed) && std::isfinite(static_cast<double>(parsed)) && parsed >= least;
  if (fits)
    value = parsed;
  else
    problems.add(message("line ", record.line, ": ", name, " is ", shown(text)));
}

std::filesystem::path resolved(const std::filesystem::path& folder, const std::string& text) {
  return text.empty() ? std::filesystem::path() : (folder / text).lexically_normal();
}

bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".tif" ||
         extension == ".tiff";
}

std::vector<ManifestEntry> list_images(const std::filesystem::path& folder) {
  std::vector<ManifestEntry> entries;
  std::error_code error;
  for (auto file = std::filesystem::directory_iterator(folder, error);
       !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    std::error_code none;
    if (!is_image_name(file->path()) || !file->is_regular_file(none)) continue;
    ManifestEntry entry;
    entry.image = file->path();
    const std::filesystem::path name = file->path().stem().string() + ".csv";
    for (const std::filesystem::path& place : {folder / name, folder / ".." / "annotations" / name})
      if (entry.annotations.empty() && std::filesystem::is_regular_file(place, none)) entry.annotations = place;
    entries.push_back(std::move(entry));
  }
  if (error) throw IoError(message(folder.string(), ": cannot be listed: ", error.message()));
  if (entries.empty())
    throw IoError(message(folder.string(), ": found neither manifest.csv nor a PNG, JPEG or TIFF file"));
  std::sort(entries.begin(), entries.end(),
            [](const ManifestEntry& a, const ManifestEntry& b) { return a.image < b.image; });
  return entries;
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && (text.empty() || (text.front() > ' ' && text.back() > ' ')))
    return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::vector<Point> parse_points(std::string_view text, std::string_view where) {
  CsvParser csv(text, where);
  const Header header(csv, where);
  const std::size_t columns[2] = {header.wanted("x"), header.wanted("y")};
  std::vector<Point> points;
  for (Record record; csv.next(record);) {
    header.check(record);
    double value[2] = {0, 0};
    for (int i = 0; i < 2; ++i) {
      const std::string& field = record.fields[columns[i]];
      if (!parse_number(field, value[i]) || !(std::abs(value[i]) <= kLargestCoordinate))
        throw IoError(message(where, ", line ", record.line, ": ", i == 0 ? 'x' : 'y', " is ", shown(field),
                              ", wanted a number of pixels"));
    }
    points.push_back({value[0], value[1]});
  }
  return points;
}

std::vector<Point> read_points(const std::filesystem::path& path) {
  return parse_points(detail::InputFile(path).read_all(kFileLimit), path.string());
}

void write_points(const std::filesystem::path& path, std::span<const Point> points) {
  std::string text = "x,y\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    append_point(text, points[i], i);
    text += '\n';
  }
  write_atomically(path, text);
}

void write_points(const std::filesystem::path& path, std::span<const Nucleus> nuclei) {
  std::string text = "x,y,score\n";
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    append_point(text, nuclei[i].centre, i);
    if (!std::isfinite(nuclei[i].score))
      throw ArgumentError(message("write_points: the score of point ", i, " is ", nuclei[i].score));
    text += ',';
    append_number(text, nuclei[i].score);
    text += '\n';
  }
  write_atomically(path, text);
}

std::vector<ManifestEntry> parse_manifest(std::string_view text, const std::filesystem::path& folder,
                                          std::string_view where) {
  CsvParser csv(text, where);
  const Header header(csv, where);
  header.wanted("image"), header.wanted("annotations");
  std::vector<ManifestEntry> entries;
  std::set<std::filesystem::path> seen;
  Problems problems;
  for (Record record; csv.next(record);) {
    header.check(record);
    ManifestEntry entry{resolved(folder, header.text(record, "image")),
                        resolved(folder, header.text(record, "annotations")),
                        header.text(record, "organ"),
                        header.text(record, "split"),
                        header.text(record, "source_id"),
                        header.text(record, "patient")};
    read_field<Index>(header, record, "width", 0, entry.width, problems);
    read_field<Index>(header, record, "height", 0, entry.height, problems);
    read_field<Index>(header, record, "nuclei", -1, entry.nuclei, problems);
    read_field<double>(header, record, "scale", 1.0 / 64, entry.scale, problems);
    std::error_code none;
    const std::string line = message("line ", record.line, ": ");
    if (entry.scale > 64) problems.add(message(line, "scale is ", entry.scale, ", wanted 1/64 to 64"));
    for (const std::string* field : {&entry.organ, &entry.split, &entry.source_id, &entry.patient})
      if (!detail::is_utf8(*field)) problems.add(message(line, shown(*field), " is not UTF-8 text"));
    if (entry.image.empty())
      problems.add(line + "no image");
    else if (!seen.insert(entry.image).second)
      problems.add(line + entry.image.string() + " is there twice");
    else if (!std::filesystem::is_regular_file(entry.image, none))
      problems.add(line + entry.image.string() + " is missing");
    if (!entry.annotations.empty() && !std::filesystem::is_regular_file(entry.annotations, none))
      problems.add(line + entry.annotations.string() + " is missing");
    entries.push_back(std::move(entry));
  }
  problems.raise(where);
  return entries;
}

std::vector<ManifestEntry> read_manifest(const std::filesystem::path& path) {
  std::error_code none;
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(path, none)) {
    file = path / "manifest.csv";
    if (!std::filesystem::exists(file, none)) return list_images(path);
  }
  return parse_manifest(detail::InputFile(file).read_all(kFileLimit), file.parent_path(), file.string());
}

void write_manifest(const std::filesystem::path& path, std::span<const ManifestEntry> entries) {
  const std::filesystem::path folder = std::filesystem::absolute(path).lexically_normal().parent_path();
  const auto relative = [&](const std::filesystem::path& file) {
    return file.empty()
               ? std::string()
               : csv_field(
                     std::filesystem::absolute(file).lexically_normal().lexically_proximate(folder).generic_string());
  };
  std::string text = "image,annotations,organ,split,width,height,nuclei,source_id,patient,scale\n";
  for (const ManifestEntry& entry : entries) {
    text += relative(entry.image) + ',' + relative(entry.annotations) + ',' + csv_field(entry.organ) + ',' +
            csv_field(entry.split) + ',';
    if (entry.width > 0) append_number(text, entry.width);
    text += ',';
    if (entry.height > 0) append_number(text, entry.height);
    text += ',';
    if (entry.nuclei >= 0) append_number(text, entry.nuclei);
    text += ',' + csv_field(entry.source_id) + ',' + csv_field(entry.patient) + ',';
    append_number(text, entry.scale);
    text += '\n';
  }
  write_atomically(path, text);
}

}  // namespace nucdet::io
