#include "nucdet/io/json.hpp"

#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "nucdet/core/error.hpp"
#include "nucdet/io/atomic_file.hpp"

namespace nucdet::io {

namespace {

using Json = nlohmann::ordered_json;

/// The double whose shortest form is that of the float: 0.3f is written as 0.3.
double shortest(float value) {
  if (!std::isfinite(value)) return static_cast<double>(value);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double wide = 0;
  std::from_chars(text, end, wide);
  return wide;
}

void write(const std::filesystem::path& path, const Json& json, int indent) {
  // File names may hold anything: what is not UTF-8 becomes U+FFFD.
  write_atomically(path, json.dump(indent, ' ', false, Json::error_handler_t::replace) + '\n');
}

Json json_of(const std::vector<float>& numbers) {
  Json list = Json::array();
  for (const float v : numbers) list.push_back(shortest(v));
  return list;
}

Json json_of(const ScoreRow& row) {
  return {{"name", row.name},
          {"images", row.images},
          {"truths", row.truths},
          {"detections", row.detections},
          {"hits", row.hits},
          {"precision", row.precision},
          {"recall", row.recall},
          {"f1", row.f1},
          {"distance_mean", row.distance_mean},
          {"distance_deviation", row.distance_deviation}};
}

Json json_of(const CurveRow& row) {
  return {{"at", row.at}, {"precision", row.precision}, {"recall", row.recall}, {"f1", row.f1}};
}

template <class Row>
Json json_of(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(json_of(row));
  return list;
}

}  // namespace

void write_detections_json(const std::filesystem::path& path, const DetectionReport& report) {
  Json nuclei = Json::array();
  for (const Nucleus& nucleus : report.nuclei)
    nuclei.push_back({{"x", nucleus.centre.x}, {"y", nucleus.centre.y}, {"score", shortest(nucleus.score)}});
  write(path,
        {{"format", "nucdet-detections-2"},
         {"image", report.image},
         {"width", report.width},
         {"height", report.height},
         {"scale", report.scale},
         {"model", report.model},
         {"normalization",
          {{"rule", report.normalization},
           {"mean", json_of(report.statistics.mean)},
           {"deviation", json_of(report.statistics.deviation)}}},
         {"threshold", shortest(report.threshold)},
         {"xi", report.xi},
         {"full_scale", shortest(report.full_scale)},
         {"tile", report.tile},
         {"average", report.average},
         {"count", report.nuclei.size()},
         {"nuclei", std::move(nuclei)}},
        1);
}

void write_geojson(const std::filesystem::path& path, const DetectionReport& report, const std::string& class_name) {
  const Json classification = {{"name", class_name}, {"color", {0, 160, 255}}};
  Json features = Json::array();
  for (const Nucleus& nucleus : report.nuclei) {
    const Json point = Json::array({nucleus.centre.x + 0.5, nucleus.centre.y + 0.5});
    features.push_back({{"type", "Feature"},
                        {"geometry", {{"type", "Point"}, {"coordinates", point}}},
                        {"properties",
                         {{"objectType", "detection"},
                          {"classification", classification},
                          {"measurements", {{"score", shortest(nucleus.score)}}}}}});
  }
  write(path, {{"type", "FeatureCollection"}, {"features", std::move(features)}}, -1);
}

void write_scores_json(const std::filesystem::path& path, const ScoreReport& report) {
  write(path,
        {{"format", "nucdet-scores-2"},
         {"data", report.data},
         {"model", report.model},
         {"matcher", report.matcher},
         {"gate", report.gate},
         {"threshold", shortest(report.threshold)},
         {"xi", report.xi},
         {"pooled", json_of(report.pooled)},
         {"mean_organ_f1", report.mean_organ_f1},
         {"organs", json_of(report.organs)},
         {"images", json_of(report.images)},
         {"curve_over", report.curve_over},
         {"curve", json_of(report.curve)}},
        1);
}

void write_records_json(const std::filesystem::path& path, const std::vector<JsonRecord>& records) {
  Json list = Json::array();
  for (const JsonRecord& record : records) {
    Json object;
    for (const auto& field : record) std::visit([&](const auto& v) { object[field.first] = v; }, field.second);
    list.push_back(std::move(object));
  }
  write(path, list, 1);
}

}  // namespace nucdet::io
