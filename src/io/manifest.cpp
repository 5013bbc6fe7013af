#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/detail/input_file.hpp"
#include "nucdet/io/detail/json_text.hpp"

#include "csv_table.hpp"

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
    for (const char* extension : {".csv", ".geojson"}) {
      const std::filesystem::path name = file->path().stem().string() + extension;
      for (const std::filesystem::path& place : {folder / name, folder / ".." / "annotations" / name})
        if (entry.annotations.empty() && std::filesystem::is_regular_file(place, none)) entry.annotations = place;
    }
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
    double scale = 0, mpp = 0;
    read_field<double>(header, record, "scale", 1.0 / 64, scale, problems);
    read_field<double>(header, record, "mpp", 1e-3, mpp, problems);
    if (scale > 0) entry.scale = scale;
    if (mpp > 0) entry.mpp = mpp;
    std::error_code none;
    const std::string line = message("line ", record.line, ": ");
    if (scale > 64) problems.add(message(line, "scale is ", scale, ", wanted 1/64 to 64"));
    for (const std::string* field : {&entry.organ, &entry.split, &entry.source_id, &entry.patient})
      if (!is_utf8(*field)) problems.add(message(line, shown(*field), " is not UTF-8 text"));
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
  return parse_manifest(InputFile(file).read_all(kLargestTable), file.parent_path(), file.string());
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
