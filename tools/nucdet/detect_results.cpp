#include "detect_results.hpp"

#include <fstream>

#include "nucdet/io/annotation_store.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/density.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/overlay.hpp"

#include "json_output.hpp"

namespace nucdet::program {

namespace fs = std::filesystem;

namespace {

constexpr const char* kJson = ".json";

/// A file beside the JSON, and whether it was asked for.
struct Part {
  const char* ending;
  bool asked;
};

std::vector<Part> parts_of(const DetectOptions& o, const Input& input) {
  return {{".csv", true},
          {".geojson", o.geojson && !o.gzip},
          {".geojson.gz", o.geojson && o.gzip},
          {".db", o.store},
          {".overview.png", input.slide},
          {".overlay.png", o.overlay && !input.slide},
          {".density.csv", o.density},
          {".density.png", o.density && !input.slide}};
}

}  // namespace

std::vector<fs::path> result_files(const DetectOptions& o, const Input& input) {
  std::vector<fs::path> files;
  for (const Part& part : parts_of(o, input))
    if (part.asked) files.push_back(input.result(o.out, part.ending));
  files.push_back(input.result(o.out, kJson));
  return files;
}

io::Product product_of_result(const fs::path& file) {
  return file.extension() == ".png" ? io::Product::drawing : io::Product::detections;
}

ResultDrawings drawings_on(const io::Picture& picture) {
  const auto overlay = [&picture](const io::DetectionReport& report) {
    std::vector<io::OverlayMark> marks;
    for (const Nucleus& n : report.nuclei) marks.push_back({.at = n.centre, .class_id = n.class_id});
    return io::draw_overlay(io::to_image(picture), marks, {.classes = report.classes});
  };
  return {overlay, [&picture](const io::DensityMap& map) { return io::draw_density(picture.view(), map); }};
}

void write_results(const DetectOptions& o, const Input& input, const ResultDrawings& drawings,
                   io::DetectionReport& report) {
  const auto file = [&](const char* ending) { return input.result(o.out, ending); };
  io::AtomicFiles together;
  io::write_points(file(".csv"), report.nuclei, report.classes, report.pixel_size);
  if (o.geojson) {
    io::GeoJsonOptions options{.ids = o.ids};
    if (!o.offset.empty()) options.offset = {o.offset[0], o.offset[1]};
    io::write_geojson(file(o.gzip ? ".geojson.gz" : ".geojson"), report, options);
  }
  if (o.store) {
    io::AnnotationStoreOptions options;
    if (!o.offset.empty()) options.offset = {o.offset[0], o.offset[1]};
    io::write_annotation_store(file(".db"), report, options);
  }
  if (o.density) {
    io::PixelSize size = report.pixel_size;
    if (!size.known()) size.x = size.y = models::kReferencePixel;  // as was assumed, and said
    const io::DensityMap map = io::density_map(centres_of(report.nuclei), report.height, report.width, size);
    io::write_density_csv(file(".density.csv"), map);
    if (drawings.density) io::write_drawing(file(".density.png"), drawings.density(map));
  }
  if (o.overlay || input.slide)
    io::write_drawing(file(input.slide ? ".overview.png" : ".overlay.png"), drawings.overlay(report));
  std::vector<fs::path> others;
  for (const Part& part : parts_of(o, input))
    if (!part.asked) others.push_back(file(part.ending));
  report.files = together.records();
  report.files.merge(io::earlier_records(others));
  io::write_detections_json(file(kJson), report);
  together.commit();
  if (!io::forget_replaced(report.files)) return;
  io::write_detections_json(file(kJson), report);
  together.commit();
}

bool is_worked_on(const DetectOptions& o, const Input& input) {
  const std::vector<fs::path> files = result_files(o, input);
  return std::any_of(files.begin(), files.end(), [](const fs::path& file) {
    std::error_code none;
    return fs::is_regular_file(file, none) && product_of_result(file) == io::Product::detections &&
           io::product_of(file) == io::Product::detections && io::record_of(file) == io::Record::changed;
  });
}

namespace {

/// What stands before the nuclei, which may be a million.
std::string head_of(const fs::path& json) {
  std::ifstream in(json, std::ios::binary);
  std::string head(16384, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

}  // namespace

bool is_done(const DetectOptions& o, const Input& input, const std::string& key) {
  const fs::path json = input.result(o.out, kJson);
  if (head_of(json).find("\"key\": \"" + key + "\"") == std::string::npos) return false;
  std::error_code none;
  const fs::file_time_type written = fs::last_write_time(json, none);
  for (const fs::path& file : result_files(o, input)) {
    if (!fs::is_regular_file(file, none)) return false;
    if (fs::last_write_time(file, none) > written && io::record_of(file) != io::Record::same) return false;
  }
  return true;
}

KnownResult known_result(const fs::path& path) {
  std::string head = head_of(path);
  head.resize(std::min(head.size(), head.rfind(",\n \"nuclei\": [")));
  const Json json = Json::parse(head + '}', nullptr, false);
  KnownResult known;
  if (!json.is_object()) return known;
  const auto number = [](const Json& in, const char* name) {
    const auto at = in.find(name);
    return at != in.end() && at->is_number() ? at->get<double>() : 0.0;
  };
  const auto whole = [&](const char* name) {
    const auto at = json.find(name);
    return at != json.end() ? whole_number(*at) : 0;
  };
  if (const auto device = json.find("device"); device != json.end() && device->is_string())
    known.device = device->get<std::string>();
  io::SummaryRow& row = known.row;
  row.width = whole("width"), row.height = whole("height");
  row.nuclei = whole("count"), row.area_mm2 = number(json, "area_mm2");
  if (const auto size = json.find("um_per_pixel"); size != json.end() && size->is_object())
    row.pixel_size.x = number(*size, "x"), row.pixel_size.y = number(*size, "y");
  if (const auto counts = json.find("class_counts"); counts != json.end() && counts->is_array())
    for (const Json& count : *counts) row.of_class.push_back(whole_number(count));
  return known;
}

}  // namespace nucdet::program
