#include "nucdet/io/json.hpp"

#include "nucdet/core/error.hpp"

#include "json_writing.hpp"

namespace nucdet::io {

namespace {

using detail::Json;
using detail::shortest;

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

void add_classes(Json& json, const ClassReport& report) {
  const metrics::ClassScore& score = report.score;
  Json classes = Json::array(), confusion = Json::array();
  for (int c = 0; c < score.classes(); ++c) {
    const metrics::Score s = score.of(c);
    classes.push_back({{"name", report.names[c]},
                       {"truths", s.hits + s.misses},
                       {"detections", s.hits + s.false_alarms},
                       {"hits", s.hits},
                       {"precision", s.precision()},
                       {"recall", s.recall()},
                       {"f1", s.f1()}});
  }
  for (int truth = 0; truth <= score.none(); ++truth) {
    Json row = Json::array();
    for (int found = 0; found <= score.none(); ++found) row.push_back(score.count(truth, found));
    confusion.push_back(std::move(row));
  }
  json["mean_class_f1"] = score.mean_f1();
  json["classes"] = std::move(classes), json["confusion"] = std::move(confusion);
}

}  // namespace

void write_detections_json(const std::filesystem::path& path, const DetectionReport& report) {
  Json nuclei = Json::array();
  for (const Nucleus& nucleus : report.nuclei) {
    Json one = {{"x", nucleus.centre.x}, {"y", nucleus.centre.y}, {"score", shortest(nucleus.score)}};
    if (nucleus.class_id != kUnknownClass && !report.classes.empty())
      one["class"] = report.classes[nucleus.class_id], one["class_probability"] = shortest(nucleus.class_probability);
    nuclei.push_back(std::move(one));
  }
  Json json = {{"format", "nucdet-detections-2"},
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
               {"average", report.average}};
  if (!report.classes.empty()) json["classes"] = report.classes.all();
  json["count"] = report.nuclei.size(), json["nuclei"] = std::move(nuclei);
  if (report.files.empty()) return detail::write_json(path, json, 1);
  detail::write_json_with_record(path, json, 1, report.files);
}

void write_scores_json(const std::filesystem::path& path, const ScoreReport& report) {
  Json json = {{"format", "nucdet-scores-2"},
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
               {"curve", json_of(report.curve)}};
  if (report.classes) add_classes(json, *report.classes);
  detail::write_json(path, json, 1);
}

void write_records_json(const std::filesystem::path& path, const std::vector<JsonRecord>& records) {
  Json list = Json::array();
  for (const JsonRecord& record : records) {
    Json object;
    for (const auto& field : record) std::visit([&](const auto& v) { object[field.first] = v; }, field.second);
    list.push_back(std::move(object));
  }
  detail::write_json(path, list, 1);
}

}  // namespace nucdet::io
