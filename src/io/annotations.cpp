#include "nucdet/io/annotations.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "nucdet/io/annotation_store.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/io/json.hpp"

#include "byte_reading.hpp"
#include "csv_table.hpp"
#include "gzip.hpp"
#include "imagej_roi.hpp"
#include "label_mask.hpp"
#include "mapped_file.hpp"
#include "marker_xml.hpp"
#include "text_encoding.hpp"

namespace nucdet::io {

namespace {

using namespace detail;

/// What a file begins with, and what it is then.
struct Kind {
  std::string_view head;
  const char* name;
};

// What users have instead of annotations, so that an error can name it.
constexpr Kind kOthers[] = {{"PK\x03\x04", "a ZIP file or an Excel workbook (save the sheet as CSV)"},
                            {"\xD0\xCF\x11\xE0", "an old Excel workbook (save the sheet as CSV)"},
                            {"\xFF\xD8\xFF", "a JPEG picture, in which labels do not survive"},
                            {"\x93NUMPY", "a NumPy array"},
                            {"\x89HDF", "an HDF5 file"},
                            {"MATLAB 5.0", "a MATLAB file"},
                            {"PAR1", "a Parquet file"},
                            {"%PDF", "a PDF"},
                            {"GIF8", "a GIF picture"},
                            {"RIFF", "a WebP picture"},
                            {"\x1F\x8B", "a gzip file in a gzip file"}};

constexpr const char* kAccepted =
    "tables of points (CSV, TSV: columns x and y, or of QuPath and ImageJ), GeoJSON, ImageJ's points (.roi) and Cell "
    "Counter (XML), label masks (PNG, TIFF), TIAToolbox's AnnotationStore, and nucdet's own CSV, JSON and GeoJSON";

[[noreturn]] void refuse(std::string_view where, std::string_view found) {
  throw IoError(message(where, ": is ", found, "; annotations are read from ", kAccepted));
}

Annotations parse_text(std::string_view bytes, std::string_view where, const AnnotationOptions& options) {
  const Utf8Text utf8(bytes, where, Utf8Text::Otherwise::keep);
  const std::string_view text = utf8.text();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const char begins = first == std::string_view::npos ? ' ' : text[first];
  if (begins == '<') return parse_marker_xml(text, where);
  if (begins == '{' || begins == '[') {
    if (is_detections_json(text)) return parse_detections_json(text, where);
    return parse_geojson(text, where);
  }
  const std::string_view head = text.substr(0, 4096);
  const auto binary = [](char c) {
    return c >= 0 && c < ' ' && std::string_view("\t\n\v\f\r").find(c) == std::string_view::npos;
  };
  if (std::any_of(head.begin(), head.end(), binary)) refuse(where, "a binary file of a kind that is not known");
  return parse_annotations(bytes, where, options);
}

Annotations parse_unpacked(std::string_view bytes, std::string_view where, const AnnotationOptions& options) {
  const Bytes raw = std::as_bytes(std::span(bytes));
  if (bytes.starts_with(kSqliteMagic)) return parse_annotation_store(raw, where);
  if (is_png(raw) || is_tiff(raw)) return label_centroids(raw, where);
  if (is_imagej_roi(bytes)) return parse_imagej_roi(bytes, where);
  for (const Kind& other : kOthers)
    if (bytes.starts_with(other.head)) refuse(where, other.name);
  return parse_text(bytes, where, options);
}

struct PlaceHash {
  std::size_t operator()(const Point& p) const {
    const std::size_t x = std::hash<double>()(p.x), y = std::hash<double>()(p.y);
    return x * 0x9E3779B97F4A7C15u ^ (y + (x >> 7));
  }
};

/// A nucleus has one centre: of points at one place the first is kept.
void drop_duplicates(Annotations& found) {
  std::unordered_set<Point, PlaceHash> seen;
  seen.reserve(found.points.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < found.points.size(); ++i) {
    if (!seen.insert(found.points[i]).second) continue;
    if (kept != i) {
      found.points[kept] = found.points[i];
      if (!found.classes.empty()) found.classes[kept] = std::move(found.classes[i]);
    }
    ++kept;
  }
  const std::size_t dropped = found.points.size() - kept;
  found.duplicates = dropped;
  if (dropped == 0) return;
  found.points.resize(kept);
  if (!found.classes.empty()) found.classes.resize(kept);
  found.notes.push_back(message(dropped, dropped == 1 ? " duplicate: a point" : " duplicates: points",
                                " at the place of another, of which the first was kept"));
}

Annotations settled(Annotations found, const AnnotationOptions& options) {
  if (!options.keep_duplicates) drop_duplicates(found);
  return found;
}

}  // namespace

Annotations parse_annotation_bytes(std::span<const std::byte> bytes, std::string_view where,
                                   const AnnotationOptions& options) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!is_gzip(text)) return settled(parse_unpacked(text, where, options), options);
  const std::string unpacked = gunzip(text, where, kLargestTable);
  return settled(parse_unpacked(unpacked, where, options), options);
}

Annotations read_annotations(const std::filesystem::path& path, const AnnotationOptions& options) {
  const MappedFile file(path);
  if (begins_with(file.bytes(), kSqliteMagic)) return settled(read_annotation_store(path), options);
  if (file.bytes().size() > kLargestTable)
    throw IoError(message(path.string(), ": larger than ", kLargestTable, " bytes, the most that is read"));
  return parse_annotation_bytes(file.bytes(), path.string(), options);
}

ClassNames read_class_names(std::span<const std::filesystem::path> paths) {
  std::set<std::string> names;
  for (const std::filesystem::path& path : paths) {
    if (path.empty()) continue;
    for (const std::string& name : read_annotations(path, {.all_images = true}).classes)
      if (!name.empty()) names.insert(name);
    if (names.size() > static_cast<std::size_t>(kMostClasses))
      throw IoError(
          message(path.string(), ": with its classes there are ", names.size(), ", wanted at most ", kMostClasses));
  }
  return ClassNames(std::vector<std::string>(names.begin(), names.end()));
}

}  // namespace nucdet::io
