#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "nucdet/core/error.hpp"
#include "nucdet/io/class_colour.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/version.hpp"

#include "feature_ids.hpp"
#include "json_writing.hpp"
#include "outline.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

namespace {

using detail::append_json_number;
using detail::Json;

class FeatureWriter {
 public:
  FeatureWriter(const std::filesystem::path& path, const GeoJsonOptions& options, const Json& made_by)
      : sink_(path, made_by.is_null() ? "" : kMadeBy.data()), offset_{options.offset.x + 0.5, options.offset.y + 0.5} {
    std::string& text = sink_.text();
    text = R"({"type":"FeatureCollection",)";
    if (!made_by.is_null()) text += R"("nucdet":)" + detail::text_of(made_by) + ',';
    text += R"("features":[)";
  }

  std::string& begin() {
    std::string& text = sink_.text();
    text += first_ ? R"({"type":"Feature",)" : R"(,{"type":"Feature",)";
    first_ = false;
    return text;
  }
  void position(std::string& text, Point p) const {
    if (!is_place(p)) throw ArgumentError(message("write_geojson: a nucleus or corner is at (", p.x, ", ", p.y, ")"));
    text += '[';
    append_json_number(text, p.x + offset_.x);
    text += ',';
    append_json_number(text, p.y + offset_.y);
    text += ']';
  }
  void point(std::string& text, Point p) const {
    text += R"("geometry":{"type":"Point","coordinates":)";
    position(text, p);
    text += "},";
  }
  void commit() {
    sink_.text() += "]}\n";
    sink_.commit();
  }

 private:
  detail::TextSink sink_;
  Point offset_;
  bool first_ = true;
};

std::string classification(const std::string& name, std::array<std::uint8_t, 3> colour) {
  return R"("classification":)" + detail::text_of({{"name", name}, {"color", colour}});
}

void append_id(std::string& text, const std::optional<detail::FeatureIds>& ids, std::size_t i) {
  if (!ids) return;
  text += R"("id":")";
  ids->append(text, i);
  text += R"(",)";
}

void write_area(FeatureWriter& writer, const Area& area, const char* class_name) {
  std::string& text = writer.begin();
  text += R"("geometry":{"type":"MultiPolygon","coordinates":[)";
  const auto list = [&](const auto& values, auto&& write_one) {
    text += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) text += ',';
      write_one(values[i]);
    }
    text += ']';
  };
  bool first = true;
  for (const std::vector<std::size_t>& rings : detail::polygons_of(area)) {
    if (!first) text += ',';
    first = false;
    list(rings, [&](std::size_t ring) {
      std::vector<Point> corners = area.rings[ring];
      if (corners.front() != corners.back()) corners.push_back(corners.front());  // GeoJSON's rings are closed
      list(corners, [&](Point p) { writer.position(text, p); });
    });
  }
  text += R"(]},"properties":{"objectType":"annotation",)" + classification(class_name, {128, 128, 128}) + "}}";
}

}  // namespace

void write_geojson(const std::filesystem::path& path, const DetectionReport& report, const GeoJsonOptions& options) {
  std::vector<Point> centres;
  std::optional<detail::FeatureIds> ids;
  if (options.ids) ids.emplace(report.image, centres = centres_of(report.nuclei));
  Json made_by = detail::provenance(report, "nucdet-geojson-1");
  if (options.offset != Point{}) made_by["offset"] = {options.offset.x, options.offset.y};
  FeatureWriter writer(path, options, made_by);
  std::vector<std::string> classes;
  for (const std::string& name : report.classes.all())
    classes.push_back(classification(name, class_colour(static_cast<int>(classes.size()))));
  const std::string unknown = classification(options.class_name, class_colour(kUnknownClass));
  for (std::size_t i = 0; i < report.nuclei.size(); ++i) {
    const Nucleus& nucleus = report.nuclei[i];
    const bool known = nucleus.class_id != kUnknownClass && !classes.empty();
    std::string& text = writer.begin();
    append_id(text, ids, i);
    writer.point(text, nucleus.centre);
    text += R"("properties":{"objectType":"detection",)";
    text += known ? classes.at(static_cast<std::size_t>(nucleus.class_id)) : unknown;
    text += R"(,"measurements":{"score":)";
    append_json_number(text, nucleus.score);
    if (known) {
      text += R"(,"class probability":)";
      append_json_number(text, nucleus.class_probability);
    }
    text += "}}}";
  }
  writer.commit();
}

void write_geojson(const std::filesystem::path& path, const Annotations& annotations) {
  const Json made_by =
      annotations.detections ? Json{{"version", NUCDET_VERSION_STRING}, {"format", "nucdet-geojson-1"}} : Json();
  FeatureWriter writer(path, {}, made_by);
  for (const Area& area : annotations.areas.regions) write_area(writer, area, detail::kRegionClass);
  for (const Area& area : annotations.areas.ignored) write_area(writer, area, detail::kIgnoredClass);
  std::map<std::string, std::string> classes{{"", ""}};  // what is written for a name; no class has no name
  for (std::size_t i = 0; i < annotations.points.size(); ++i) {
    const std::string name = annotations.classes.empty() ? std::string() : annotations.classes[i];
    const auto [known, added] = classes.try_emplace(name);
    if (added) known->second = ',' + classification(name, class_colour(static_cast<int>(classes.size()) - 2));
    std::string& text = writer.begin();
    writer.point(text, annotations.points[i]);
    text += annotations.detections ? R"("properties":{"objectType":"detection")"
                                   : R"("properties":{"objectType":"annotation")";
    text += known->second + "}}";
  }
  writer.commit();
}

}  // namespace nucdet::io
