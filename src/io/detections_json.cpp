#include <cmath>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/version.hpp"

#include "json_stream.hpp"
#include "json_writing.hpp"
#include "outline.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

namespace {

using detail::append_json_number;
using detail::Json;
using detail::shortest;

constexpr std::string_view kFormats = "nucdet-detections-";

Json json_of(const std::vector<float>& numbers) {
  Json list = Json::array();
  for (const float v : numbers) list.push_back(shortest(v));
  return list;
}

std::vector<Index> class_counts(const DetectionReport& report) {
  std::vector<Index> counts(static_cast<std::size_t>(report.classes.size()));
  for (const Nucleus& n : report.nuclei)
    if (n.class_id >= 0 && n.class_id < report.classes.size()) ++counts[static_cast<std::size_t>(n.class_id)];
  return counts;
}

/// All but the nuclei.
Json head_of(const DetectionReport& report) {
  Json json = {{"format", "nucdet-detections-2"}, {"nucdet_version", NUCDET_VERSION_STRING}};
  if (!report.key.empty()) json["key"] = report.key;
  if (!report.device.empty()) json["device"] = report.device;
  json["image"] = report.image;
  if (report.width > 0) json["width"] = report.width, json["height"] = report.height;
  if (!report.origin.name.empty()) json["origin"] = detail::json_of(report.origin);
  if (report.pixel_size.known() || !report.model.empty()) json["scale"] = report.scale;
  if (report.pixel_size.known()) json["um_per_pixel"] = detail::json_of(report.pixel_size);
  if (!report.model.empty()) {
    json["model"] = report.model;
    if (!report.model_hash.empty()) json["model_hash"] = report.model_hash;
    json["normalization"] = {{"rule", report.normalization},
                             {"mean", json_of(report.statistics.mean)},
                             {"deviation", json_of(report.statistics.deviation)}};
    json["threshold"] = shortest(report.threshold), json["xi"] = report.xi;
    json["full_scale"] = shortest(report.full_scale);
    json["tile"] = report.tile, json["average"] = report.average;
  }
  if (report.area_mm2 > 0) json["area_mm2"] = report.area_mm2;
  if (!report.classes.empty()) json["classes"] = report.classes.all(), json["class_counts"] = class_counts(report);
  json["count"] = report.nuclei.size();
  return json;
}

/// One nucleus of a list, or why it is none.
class NucleiReader {
 public:
  explicit NucleiReader(std::string_view where) : where_(where) {}

  void add(const nlohmann::json& nucleus) {
    const Point at{number(nucleus, "x"), number(nucleus, "y")};
    found_.points.push_back(at);
    const auto of = nucleus.find("class");
    found_.classes.push_back(of != nucleus.end() && of->is_string() ? of->get<std::string>() : "");
  }
  Annotations take() {
    detail::drop_empty_classes(found_);
    found_.format = "nucdet JSON", found_.detections = true;
    return std::move(found_);
  }

 private:
  double number(const nlohmann::json& nucleus, const char* name) const {
    const auto found = nucleus.is_object() ? nucleus.find(name) : nucleus.end();
    const double value = found != nucleus.end() && found->is_number() ? found->get<double>() : NAN;
    if (!(std::abs(value) <= kLargestCoordinate))
      throw IoError(message(where_, ": nucleus ", found_.points.size() + 1, ": ", name, " is no number of pixels"));
    return value;
  }

  std::string_view where_;
  Annotations found_;
};

}  // namespace

void write_detections_json(const std::filesystem::path& path, const DetectionReport& report) {
  std::vector<std::string> classes;
  for (const std::string& name : report.classes.all()) classes.push_back(detail::text_of(name));
  detail::TextSink sink(path);
  ContentHash hash;
  std::string head = detail::text_of(head_of(report), 1);
  head.resize(head.rfind('\n'));  // without the closing brace
  head += ",\n \"nuclei\": [";
  hash.add(head);
  sink.text() += head;
  for (std::size_t i = 0; i < report.nuclei.size(); ++i) {
    const Nucleus& nucleus = report.nuclei[i];
    std::string& text = sink.text();
    const std::size_t before = text.size();
    text += i == 0 ? "\n  {\"x\": " : ",\n  {\"x\": ";
    append_json_number(text, nucleus.centre.x);
    text += ", \"y\": ";
    append_json_number(text, nucleus.centre.y);
    text += ", \"score\": ";
    append_json_number(text, nucleus.score);
    if (nucleus.class_id != kUnknownClass && !classes.empty()) {
      text += ", \"class\": " + classes.at(static_cast<std::size_t>(nucleus.class_id)) + ", \"class_probability\": ";
      append_json_number(text, nucleus.class_probability);
    }
    text += '}';
    hash.add(std::string_view(text).substr(before));
  }
  const std::string end = report.nuclei.empty() ? "]" : "\n ]";
  hash.add(end);
  sink.text() += end + detail::record_text(path, hash, report.files);
  sink.commit();
}

bool is_detections_json(std::string_view text) {
  // The format is the first member; a little room is left for those who sort them.
  return text.substr(0, 4096).find(std::string("\"") + std::string(kFormats)) != std::string_view::npos;
}

Annotations parse_detections_json(std::string_view text, std::string_view where) {
  NucleiReader reader(where);
  const nlohmann::json root =
      detail::parse_list(text, where, "nuclei", "normalization", [&](const auto& nucleus) { reader.add(nucleus); });
  const auto member = [&](const char* name) {
    return root.is_object() && root.contains(name) ? root[name] : nlohmann::json();
  };
  const nlohmann::json format = member("format");
  if (!format.is_string() || (format != "nucdet-detections-1" && format != "nucdet-detections-2"))
    throw IoError(message(where, ": its \"format\" is ", format.is_string() ? format.dump().substr(0, 60) : "missing",
                          ", wanted \"nucdet-detections-1\" or \"nucdet-detections-2\""));
  if (!member("nuclei").is_array()) throw IoError(message(where, ": has no list \"nuclei\""));
  return reader.take();
}

}  // namespace nucdet::io
