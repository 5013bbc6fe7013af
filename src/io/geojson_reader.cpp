#include <cmath>

#include "nucdet/core/error.hpp"
#include "nucdet/io/geojson.hpp"

#include "json_stream.hpp"
#include "outline.hpp"

namespace nucdet::io {

namespace {

using detail::Outline;
using nlohmann::json;

/// A member, null where there is none.
const json& member(const json& value, const char* name) {
  static const json none;
  if (!value.is_object()) return none;
  const auto found = value.find(name);
  return found == value.end() ? none : *found;
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

class GeoJsonReader {
 public:
  explicit GeoJsonReader(std::string_view where) : where_(where) {}

  Annotations read(std::string_view text) {
    const json root = detail::parse_list(text, where_, "features", "measurements", [&](const json& value) {
      if (text_of(member(value, "type")) != "Feature") wrong("is no Feature");
      feature(value);
      ++feature_;
    });
    const std::string type = text_of(member(root, "type"));
    if (type == "Feature")
      feature(root);
    else if (!root.is_array() && !(type == "FeatureCollection" && member(root, "features").is_array()))
      bare_geometry(root, type);
    found_.detections = !member(root, "nucdet").is_null();
    found_.format = found_.detections ? "nucdet GeoJSON" : qupath_ ? "QuPath GeoJSON" : "GeoJSON";
    drop_areas();
    detail::drop_empty_classes(found_);
    if (helpers_ > 0)
      found_.notes.push_back(message(helpers_, " objects are no nuclei (cores, tiles, points of areas)"));
    if (large_ > 0)
      found_.notes.push_back(message(large_, " outlines of more than ", kLargeNucleus, " square pixels were taken for ",
                                     "nuclei; areas are of the class Region* or Ignore*"));
    return std::move(found_);
  }

 private:
  void bare_geometry(const json& root, const std::string& type) {
    for (const char* known : {"Point", "MultiPoint", "Polygon", "MultiPolygon", "GeometryCollection"})
      if (type == known) return geometry(root, "");
    throw IoError(message(where_, ": holds neither a FeatureCollection nor a Feature nor a list of them"));
  }
  void feature(const json& value) {
    const json& properties = member(value, "properties");
    qupath_ =
        qupath_ || member(properties, "objectType").is_string() || member(properties, "classification").is_object();
    const std::string object = text_of(member(properties, "objectType"));
    if (object == "root" || object == "tma_core" || object == "tile") {  // QuPath's own, for its work
      ++helpers_;
      return;
    }
    detected_ = detected_ || object == "detection" || object == "cell";
    // The outline of a cell of QuPath is the cell's; its nucleus has one of its own.
    const json& nucleus = member(value, "nucleusGeometry");
    const std::size_t before = found_.points.size();
    const json& shape = nucleus.is_object() ? nucleus : member(value, "geometry");
    geometry(shape, class_of(properties));
    const bool outline = text_of(member(shape, "type")).ends_with("Polygon");
    if (object == "annotation" && outline && found_.points.size() > before) annotations_.push_back(before);
  }
  /// Where QuPath tells detections, outlined annotations are areas around them.
  void drop_areas() {
    if (!detected_ || annotations_.empty()) return;
    for (auto at = annotations_.rbegin(); at != annotations_.rend(); ++at) {
      found_.points.erase(found_.points.begin() + static_cast<std::ptrdiff_t>(*at));
      found_.classes.erase(found_.classes.begin() + static_cast<std::ptrdiff_t>(*at));
    }
    found_.notes.push_back(message(annotations_.size(), " annotations beside the detections were left out"));
  }
  void geometry(const json& value, const std::string& name) {
    const std::string type = text_of(member(value, "type"));
    const json& coordinates = member(value, "coordinates");
    if (type == "Point") {
      add_point(point(coordinates), name);
    } else if (type == "MultiPoint" && coordinates.is_array()) {
      for (const json& one : coordinates) add_point(point(one), name);
    } else if (type == "Polygon" || type == "MultiPolygon") {
      Outline outline;
      if (type == "Polygon") polygon(outline, coordinates);
      if (type == "MultiPolygon" && coordinates.is_array())
        for (const json& one : coordinates) polygon(outline, one);
      if (outline.outer.empty()) wrong("has no polygon");
      const std::size_t points = found_.points.size();
      const double size = detail::size_of(outline);
      add_outline(found_, std::move(outline), name);
      if (found_.points.size() > points && size > kLargeNucleus) ++large_;
    } else if (type == "GeometryCollection" && member(value, "geometries").is_array()) {
      for (const json& one : member(value, "geometries")) geometry(one, name);
    } else {
      wrong(message("has the geometry '", type.substr(0, 40), "', wanted Point, MultiPoint, Polygon or MultiPolygon"));
    }
  }
  void polygon(Outline& outline, const json& rings) {
    if (!rings.is_array() || rings.empty()) wrong("has a polygon without rings");
    outline.outer.push_back(outline.area.rings.size());
    for (const json& corners : rings) {
      if (!corners.is_array() || corners.empty()) wrong("has a ring without corners");
      std::vector<Point> ring;
      ring.reserve(corners.size());
      for (const json& corner : corners) ring.push_back(point(corner));
      outline.area.rings.push_back(std::move(ring));
    }
  }
  Point point(const json& coordinates) const {
    double at[2] = {0, 0};
    for (std::size_t i = 0; i < 2; ++i) {
      const bool number = coordinates.is_array() && coordinates.size() >= 2 && coordinates[i].is_number();
      if (number) at[i] = coordinates[i].get<double>();
      if (!number || !(std::abs(at[i]) <= kLargestCoordinate))
        wrong("has coordinates that are no two numbers of pixels");
    }
    return {at[0] - 0.5, at[1] - 0.5};
  }
  void add_point(Point at, const std::string& name) {
    if (name == detail::kRegionClass || name == detail::kIgnoredClass) {  // an area that was never drawn
      ++helpers_;
      return;
    }
    found_.points.push_back(at);
    found_.classes.push_back(name);
  }
  /// QuPath's class: a name, or since 0.5 a list of names ("Tumor: Positive").
  static std::string class_of(const json& properties) {
    const json& of = member(properties, "classification");
    if (member(of, "name").is_string()) return member(of, "name").get<std::string>();
    std::string all;
    if (member(of, "names").is_array())
      for (const json& name : member(of, "names"))
        if (name.is_string()) all += (all.empty() ? "" : ": ") + name.get<std::string>();
    return all;
  }
  [[noreturn]] void wrong(const std::string& what) const {
    throw IoError(message(where_, ": feature ", feature_, ' ', what));
  }

  std::string_view where_;
  Index feature_ = 1;
  static constexpr double kLargeNucleus = 20000;  // square pixels: of 0.25 um, 40 um across
  std::size_t helpers_ = 0, large_ = 0;
  bool detected_ = false;
  std::vector<std::size_t> annotations_{};  // the points of outlined ones
  bool qupath_ = false;
  Annotations found_;
};

}  // namespace

Annotations parse_geojson(std::string_view text, std::string_view where) { return GeoJsonReader(where).read(text); }

}  // namespace nucdet::io
