#include <algorithm>
#include <cmath>

#include "nucdet/core/ascii.hpp"
#include "nucdet/io/annotation_store.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/geojson.hpp"

#include "csv_table.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

namespace {

using namespace detail;

/// The ending in small letters, ".geojson.gz" whole; empty for one that is not written.
std::string ending_of(const std::filesystem::path& path) {
  const std::string name = small_letters(path.filename().string());
  for (const char* ending : {".csv", ".tsv", ".geojson", ".geojson.gz", ".db"})
    if (name.size() > std::strlen(ending) && name.ends_with(ending)) return ending;
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

/// Throws ShapeError for an area that is none, ArgumentError for a corner that files do not hold.
void check_areas(const std::vector<Area>& areas, const char* kind) {
  for (std::size_t i = 0; i < areas.size(); ++i) {
    if (areas[i].rings.empty())
      throw ShapeError(message("write_annotations: ", kind, ' ', i, " has no rings, wanted one at least"));
    for (const std::vector<Point>& ring : areas[i].rings) {
      if (ring.size() < 3)
        throw ShapeError(message("write_annotations: ", kind, ' ', i, " has a ring of ", ring.size(),
                                 " corners, wanted 3 at least"));
      for (const Point& p : ring)
        if (!is_place(p))
          throw ArgumentError(message("write_annotations: ", kind, ' ', i, " has a corner at (", p.x, ", ", p.y, ")"));
    }
  }
}

}  // namespace

bool has_annotation_ending(const std::filesystem::path& path) { return !ending_of(path).empty(); }

bool keeps_areas(const std::filesystem::path& path) {
  const std::string ending = ending_of(path);
  return !ending.empty() && ending != ".csv" && ending != ".tsv";
}

void write_annotations(const std::filesystem::path& path, const Annotations& annotations) {
  const std::string ending = ending_of(path);
  if (ending.empty()) throw ArgumentError(message(path.string(), ": annotations are written as ", kWrittenEndings));
  if (!annotations.classes.empty() && annotations.classes.size() != annotations.points.size())
    throw ArgumentError(message("write_annotations: ", annotations.classes.size(), " classes for ",
                                annotations.points.size(), " points"));
  for (const Point& p : annotations.points)
    if (!is_place(p)) throw ArgumentError(message("write_annotations: a point is (", p.x, ", ", p.y, ")"));
  check_areas(annotations.areas.regions, "region"), check_areas(annotations.areas.ignored, "ignored area");
  if (ending == ".csv") return write_table(path, annotations, ',');
  if (ending == ".tsv") return write_table(path, annotations, '\t');
  if (ending == ".db") return write_annotation_store(path, annotations);
  write_geojson(path, annotations);
}

}  // namespace nucdet::io
