#include "nucdet/io/json.hpp"

#include "nucdet/core/error.hpp"
#include "nucdet/version.hpp"

#include "json_writing.hpp"

namespace nucdet::io {

namespace {

using detail::Json;
using detail::shortest;

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

namespace detail {

Json json_of(const DetectionReport::Origin& origin) {
  return {{"name", origin.name}, {"x", origin.x}, {"y", origin.y}};
}

Json json_of(const PixelSize& size) { return {{"x", size.x}, {"y", size.y}, {"source", size.source}}; }

Json provenance(const DetectionReport& report, const char* format) {
  Json json = {{"version", NUCDET_VERSION_STRING}, {"format", format}, {"image", report.image}};
  if (report.width > 0) json["width"] = report.width, json["height"] = report.height;
  if (!report.origin.name.empty()) json["origin"] = json_of(report.origin);
  if (report.pixel_size.known()) json["um_per_pixel"] = json_of(report.pixel_size);
  if (!report.model.empty()) json["model"] = report.model;
  if (!report.model_hash.empty()) json["model_hash"] = report.model_hash;
  return json;
}

}  // namespace detail

namespace {

Json json_of(const ScoreReport& report) {
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
  return json;
}

}  // namespace

void write_scores_json(const std::filesystem::path& path, const ScoreReport& report) {
  std::string text = detail::text_of(json_of(report), 1);
  text.resize(text.rfind("\n}"));
  ContentHash hash;
  hash.add(text);
  write_atomically(path, text + detail::record_text(path, hash, report.files));
}

std::string scores_json(const ScoreReport& report) { return detail::text_of(json_of(report)); }

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
