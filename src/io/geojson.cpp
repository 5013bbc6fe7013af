#include "nucdet/io/geojson.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "nucdet/core/error.hpp"
#include "nucdet/io/class_colour.hpp"

#include "json_writing.hpp"

namespace nucdet::io {

namespace {

using nlohmann::json;

constexpr double kLargestCoordinate = 1e9;

class GeoJsonReader {
 public:
  explicit GeoJsonReader(std::string_view where) : where_(where) {}

  Annotations read(std::string_view text) {
    json root;
    try {
      root = json::parse(text);
    } catch (const json::parse_error& error) {
      throw IoError(message(where_, ": byte ", error.byte, ": is not JSON"));
    } catch (const json::exception&) {  // a number beyond all doubles
      throw IoError(message(where_, ": is not JSON"));
    }
    if (root.is_array())
      list(root);
    else if (type_of(root) == "Feature")
      feature(root);
    else if (type_of(root) == "FeatureCollection" && root.contains("features") && root["features"].is_array())
      list(root["features"]);
    else
      throw IoError(message(where_, ": holds neither a FeatureCollection nor a Feature nor a list of them"));
    const bool none =
        std::all_of(found_.classes.begin(), found_.classes.end(), [](const auto& c) { return c.empty(); });
    if (none) found_.classes.clear();
    return std::move(found_);
  }

 private:
  static std::string type_of(const json& value) {
    if (!value.is_object() || !value.contains("type") || !value["type"].is_string()) return {};
    return value["type"].get<std::string>();
  }
  void list(const json& features) {
    for (const json& value : features) {
      if (type_of(value) != "Feature") wrong("is no Feature");
      feature(value);
      ++feature_;
    }
  }
  void feature(const json& value) {
    const json none, &geometry = value.contains("geometry") ? value["geometry"] : none;
    const std::string type = type_of(geometry), name = class_of(value);
    const json& coordinates = geometry.is_object() && geometry.contains("coordinates") ? geometry["coordinates"] : none;
    if (type == "Point") {
      point(coordinates, name);
    } else if (type == "MultiPoint" && coordinates.is_array()) {
      for (const json& one : coordinates) point(one, name);
    } else {
      wrong(message("has the geometry '", type.substr(0, 40), "', wanted Point or MultiPoint"));
    }
  }
  void point(const json& coordinates, const std::string& name) {
    double at[2] = {0, 0};
    for (std::size_t i = 0; i < 2; ++i) {
      const bool number = coordinates.is_array() && coordinates.size() >= 2 && coordinates[i].is_number();
      if (number) at[i] = coordinates[i].get<double>();
      if (!number || !(std::abs(at[i]) <= kLargestCoordinate))
        wrong("has coordinates that are no two numbers of pixels");
    }
    found_.points.push_back({at[0] - 0.5, at[1] - 0.5});
    found_.classes.push_back(name);
  }
  /// QuPath's class: a name, or since 0.5 a list of names ("Tumor: Positive").
  static std::string class_of(const json& value) {
    if (!value.contains("properties") || !value["properties"].is_object()) return {};
    const json& properties = value["properties"];
    if (!properties.contains("classification") || !properties["classification"].is_object()) return {};
    const json& of = properties["classification"];
    if (of.contains("name") && of["name"].is_string()) return of["name"].get<std::string>();
    std::string all;
    if (of.contains("names") && of["names"].is_array())
      for (const json& name : of["names"])
        if (name.is_string()) all += (all.empty() ? "" : ": ") + name.get<std::string>();
    return all;
  }
  [[noreturn]] void wrong(const std::string& what) const {
    throw IoError(message(where_, ": feature ", feature_, ' ', what));
  }

  std::string_view where_;
  Index feature_ = 1;
  Annotations found_;
};

}  // namespace

void write_geojson(const std::filesystem::path& path, const DetectionReport& report, const std::string& class_name) {
  using detail::Json;
  Json features = Json::array();
  for (const Nucleus& nucleus : report.nuclei) {
    const bool known = nucleus.class_id != kUnknownClass && !report.classes.empty();
    Json measurements;
    measurements["score"] = detail::shortest(nucleus.score);
    if (known) measurements["class probability"] = detail::shortest(nucleus.class_probability);
    const Json classification = {{"name", known ? report.classes[nucleus.class_id] : class_name},
                                 {"color", class_colour(known ? nucleus.class_id : kUnknownClass)}};
    features.push_back(
        {{"type", "Feature"},
         {"geometry",
          {{"type", "Point"}, {"coordinates", Json::array({nucleus.centre.x + 0.5, nucleus.centre.y + 0.5})}}},
         {"properties",
          {{"objectType", "detection"},
           {"classification", classification},
           {"measurements", std::move(measurements)}}}});
  }
  detail::write_json(path, {{"type", "FeatureCollection"}, {"features", std::move(features)}}, -1);
}

Annotations parse_geojson(std::string_view text, std::string_view where) { return GeoJsonReader(where).read(text); }

}  // namespace nucdet::io
