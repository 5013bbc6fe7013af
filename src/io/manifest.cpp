#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "nucdet/core/ascii.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/detail/input_file.hpp"
#include "nucdet/io/detail/json_text.hpp"

#include "csv_table.hpp"
#include "image_folder.hpp"
#include "text_encoding.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

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

std::filesystem::path resolved(const std::filesystem::path& folder, std::string_view text) {
  return text.empty() ? std::filesystem::path() : (folder / std::filesystem::path(text)).lexically_normal();
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

class ManifestReader {
 public:
  ManifestReader(std::string_view text, const std::filesystem::path& folder, std::string_view where,
                 std::vector<std::string>* notes)
      : folder_(folder),
        where_(where),
        notes_(notes),
        table_(text, where, TableParser::Comments::above),
        header_(Header::read(table_, where)) {}

  std::vector<ManifestEntry> read() {
    header_.wanted("image"), header_.wanted("annotations");
    for (CsvRecord record; table_.next(record);) {
      header_.check(record);
      row(record);
    }
    problems_.raise(where_);
    return std::move(entries_);
  }

 private:
  void row(const CsvRecord& record) {
    const auto text = [&](const char* column) { return std::string(header_.text(record, column)); };
    ManifestEntry entry{resolved(folder_, header_.text(record, "image")),
                        resolved(folder_, header_.text(record, "annotations")),
                        text("organ"),
                        split_name(text("split")),
                        text("source_id"),
                        text("patient")};
    whole(record, "width", 0, entry.width), whole(record, "height", 0, entry.height);
    whole(record, "nuclei", -1, entry.nuclei);
    const std::string line = message("line ", record.line, ": ");
    number(record, "scale", 1.0 / 64, 64, "1/64 to 64 (um a pixel go into the column mpp)", entry.scale);
    number(record, "mpp", 1.0 / 256, 16, "1/256 to 16 um a pixel", entry.mpp);
    if (entry.scale && entry.mpp) {
      const double stated = *entry.mpp / ManifestEntry::kReferenceMpp;
      if (std::abs(*entry.scale - stated) > 0.01 * stated)
        problems_.add(message(line, "scale is ", *entry.scale, ", and mpp is ", *entry.mpp, ", a scale of ", stated,
                              ", wanted one of them"));
    }
    for (const char* name : {"image", "annotations", "organ", "split", "source_id", "patient"})
      check_text(record, name);
    check_files(entry, record.line);
    if (!repeats(entry, record.line)) entries_.push_back(std::move(entry));
  }

  void whole(const CsvRecord& record, const char* name, Index least, Index& value) {
    const std::string_view text = header_.text(record, name);
    Index parsed = 0;
    if (text.empty()) return;
    if (parse_number(text, parsed) && parsed >= least)
      value = parsed;
    else
      problems_.add(message("line ", record.line, ": ", name, " is ", shown(text), ", wanted a whole number"));
  }

  void number(const CsvRecord& record, const char* name, double least, double most, const char* wanted,
              std::optional<double>& value) {
    const std::string_view text = header_.text(record, name);
    double parsed = 0;
    if (text.empty()) return;
    if (parse_decimal(text, parsed) && parsed >= least && parsed <= most)
      value = parsed;
    else
      problems_.add(message("line ", record.line, ": ", name, " is ", shown(text), ", wanted ", wanted));
  }

  /// A NUL would end a path early, other control characters can fool a terminal.
  void check_text(const CsvRecord& record, const char* name) {
    const std::string_view text = header_.text(record, name);
    const std::string line = message("line ", record.line, ": ");
    if (has_control_character(text))
      problems_.add(message(line, name, " ", shown(text), " holds a control character"));
    else if (name != std::string_view("image") && name != std::string_view("annotations") && !is_utf8(text))
      problems_.add(message(line, shown(text), " is not UTF-8 text"));
  }

  void check_files(const ManifestEntry& entry, Index line) {
    std::error_code none;
    if (entry.image.empty()) problems_.add(message("line ", line, ": no image"));
    for (const std::filesystem::path* path : {&entry.image, &entry.annotations}) {
      const bool named = !path->empty() && !has_control_character(path->string());
      if (named && !std::filesystem::is_regular_file(*path, none))
        problems_.add(message("line ", line, ": ", path->string(), " is missing"));
    }
  }

  /// Whether the image was there before, with the same annotations in the same split. Tells of it, and of an image with
  /// others.
  bool repeats(const ManifestEntry& entry, Index line) {
    if (entry.image.empty()) return false;
    std::error_code none;
    std::filesystem::path file = std::filesystem::weakly_canonical(entry.image, none);
    const auto [first, is_new] = seen_.emplace(none ? entry.image : file, Row{line, entry.split, entry.annotations});
    if (is_new) return false;
    const Row& before = first->second;
    const std::string image =
        message(where_, ": ", entry.image.string(), " is there twice, in line ", before.line, " and line ", line);
    const bool same_split = before.split == entry.split, same = same_split && before.annotations == entry.annotations;
    const auto tell = [&](const std::string& split) { return split.empty() ? std::string("no split") : split; };
    const std::string splits = tell(before.split < entry.split ? before.split : entry.split) + " and " +
                               tell(before.split < entry.split ? entry.split : before.split);
    if (notes_ != nullptr)
      notes_->push_back(same         ? image + ": counted once"
                        : same_split ? image + ", with other annotations"
                                     : image + ", in " + splits + ": results on it say nothing of new images");
    return same;
  }

  struct Row {
    Index line;
    std::string split;
    std::filesystem::path annotations;
  };

  const std::filesystem::path& folder_;
  std::string_view where_;
  std::vector<std::string>* notes_;
  TableParser table_;
  Header header_;
  std::vector<ManifestEntry> entries_;
  std::map<std::filesystem::path, Row> seen_;
  Problems problems_;
};

}  // namespace

std::string csv_field(const std::string& text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  const bool plain = text.find_first_of(",\"\r\n") == std::string::npos;
  if (plain && (text.empty() || (!blank(text.front()) && !blank(text.back())))) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string split_name(std::string_view text) {
  const std::string small = small_letters(std::string(text));
  if (small == "train" || small == "training") return "train";
  if (small == "val" || small == "valid" || small == "validation") return "val";
  if (small == "test" || small == "testing") return "test";
  return std::string(text);
}

std::vector<ManifestEntry> parse_manifest(std::string_view text, const std::filesystem::path& folder,
                                          std::string_view where, std::vector<std::string>* notes) {
  const Utf8Text utf8(text, where, Utf8Text::Otherwise::keep);
  return ManifestReader(utf8.text(), folder, where, notes).read();
}

std::vector<ManifestEntry> read_manifest(const std::filesystem::path& path, std::vector<std::string>* notes,
                                         const FolderOptions& options) {
  std::error_code none;
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(path, none)) {
    file = path / "manifest.csv";
    if (!std::filesystem::exists(file, none)) return list_folder(path, options, notes);
  }
  return parse_manifest(InputFile(file).read_all(kLargestTable), file.parent_path(), file.string(), notes);
}

void write_manifest(const std::filesystem::path& path, std::span<const ManifestEntry> entries) {
  const std::filesystem::path folder = std::filesystem::absolute(path).lexically_normal().parent_path();
  const auto relative = [&](const std::filesystem::path& file) {
    return file.empty()
               ? std::string()
               : csv_field(
                     std::filesystem::absolute(file).lexically_normal().lexically_proximate(folder).generic_string());
  };
  std::string text = "image,annotations,organ,split,width,height,nuclei,source_id,patient,scale,mpp\n";
  for (const ManifestEntry& entry : entries) {
    text += relative(entry.image) + ',' + relative(entry.annotations) + ',' + csv_field(entry.organ) + ',' +
            csv_field(entry.split) + ',';
    if (entry.width > 0) append_number(text, entry.width);
    text += ',';
    if (entry.height > 0) append_number(text, entry.height);
    text += ',';
    if (entry.nuclei >= 0) append_number(text, entry.nuclei);
    text += ',' + csv_field(entry.source_id) + ',' + csv_field(entry.patient) + ',';
    if (entry.scale) append_number(text, *entry.scale);
    text += ',';
    if (entry.mpp) append_number(text, *entry.mpp);
    text += '\n';
  }
  write_atomically(path, text);
}

}  // namespace nucdet::io
