#include <algorithm>
#include <cmath>

#include "nucdet/io/annotation_store.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/geojson.hpp"

#include "csv_table.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

namespace {

using namespace detail;

bool ends_with(const std::string& name, std::string_view ending) {
  return name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

/// The ending in small letters, ".geojson.gz" whole; empty for one that is not written.
std::string ending_of(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const char* ending : {".csv", ".tsv", ".geojson", ".geojson.gz", ".db"})
    if (ends_with(name, ending)) return ending;
  return {};
}

void write_table(const std::filesystem::path& path, const Annotations& annotations, char separator) {
  TextSink sink(path);
  const bool classes = !annotations.classes.empty();
  sink.text() += std::string("x") + separator + "y";
  if (classes) sink.text() += separator, sink.text() += "class";
  sink.text() += '\n';
  for (std::size_t i = 0; i < annotations.points.size(); ++i) {
    std::string& text = sink.text();
    append_number(text, annotations.points[i].x), text += separator, append_number(text, annotations.points[i].y);
    if (classes) {
      std::string field = csv_field(annotations.classes[i]);
      if (separator != ',' && field[0] != '"' && field.find(separator) != std::string::npos) field = '"' + field + '"';
      text += separator, text += field;
    }
    text += '\n';
  }
  sink.commit();
}

}  // namespace

bool has_annotation_ending(const std::filesystem::path& path) { return !ending_of(path).empty(); }

void write_annotations(const std::filesystem::path& path, const Annotations& annotations) {
  const std::string ending = ending_of(path);
  if (ending.empty()) throw ArgumentError(message(path.string(), ": annotations are written as ", kAnnotationEndings));
  if (!annotations.classes.empty() && annotations.classes.size() != annotations.points.size())
    throw ArgumentError(message("write_annotations: ", annotations.classes.size(), " classes for ",
                                annotations.points.size(), " points"));
  for (const Point& p : annotations.points)
    if (!std::isfinite(p.x) || !std::isfinite(p.y))
      throw ArgumentError(message("write_annotations: a point is (", p.x, ", ", p.y, ")"));
  if (ending == ".csv") return write_table(path, annotations, ',');
  if (ending == ".tsv") return write_table(path, annotations, '\t');
  if (ending == ".db") return write_annotation_store(path, annotations);
  write_geojson(path, annotations);
}

}  // namespace nucdet::io
