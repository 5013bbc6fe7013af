#include "nucdet/io/annotation_store.hpp"

#ifdef NUCDET_WITH_SQLITE
#include <algorithm>
#include <cmath>
#include <optional>

#include "nucdet/version.hpp"

#include "feature_ids.hpp"
#include "json_writing.hpp"
#include "marks.hpp"
#include "outline.hpp"
#include "rtree_packing.hpp"
#include "scratch_file.hpp"
#include "sqlite.hpp"
#include "wkb.hpp"
#else
#include "nucdet/core/error.hpp"
#endif

namespace nucdet::io {

#ifdef NUCDET_WITH_SQLITE

namespace {

using detail::append_json_number;
using detail::Database;
using detail::Json;
using detail::Statement;

// What TIAToolbox 1 and 2 make. The file is private until it is whole: it needs neither a journal nor to be kept on the
// disk step by step.
constexpr const char* kSchema = R"(
PRAGMA page_size = 4096;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -65536;
BEGIN;
CREATE TABLE metadata (key TEXT UNIQUE, value TEXT);
CREATE VIRTUAL TABLE rtree USING rtree(id, min_x, max_x, min_y, max_y);
CREATE TABLE annotations(id INTEGER PRIMARY KEY, key TEXT UNIQUE, objtype TEXT, cx FLOAT NOT NULL, cy FLOAT NOT NULL,
                         geometry BLOB, properties TEXT, area FLOAT NOT NULL);
)";

class StoreWriter {
 public:
  /// Nobody else opens the scratch file, and its own lock collides with SQLite's where locks go over a network.
  StoreWriter(const std::filesystem::path& path, const Json& made_by)
      : path_(path),
        scratch_(path),
        db_(std::in_place, scratch_.name(), SQLITE_OPEN_READWRITE, path.string(), "unix-none") {
    db_->run(kSchema);
    scratch_.forget_name();
    annotation_.emplace(*db_, "INSERT INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    metadata("version", "1.0.1"), metadata("compression", nullptr), metadata("compression_level", 9);
    if (made_by.is_null()) return;
    metadata("nucdet", made_by);
    db_->run(message("PRAGMA application_id = ", detail::kSqliteApplication).c_str());  // in the file's first bytes
  }

  void point(std::string_view key, Point p, std::string_view properties) {
    annotation_->bind(3, std::string_view("Point")), annotation_->bind_null(6);
    add(key, p, {p, p}, 0, properties);
  }
  void polygon(std::string_view key, const Area& area, std::string_view properties) {
    const std::vector<std::vector<std::size_t>> polygons = detail::polygons_of(area);
    detail::Outline outline{area, {}};
    for (const std::vector<std::size_t>& rings : polygons) outline.outer.push_back(rings.front());
    const std::string wkb = detail::wkb_of(area, polygons);
    Box box{area.rings[0][0], area.rings[0][0]};
    for (const std::vector<Point>& ring : area.rings)
      for (const Point& p : ring) {
        box.least = {std::min(box.least.x, p.x), std::min(box.least.y, p.y)};
        box.most = {std::max(box.most.x, p.x), std::max(box.most.y, p.y)};
      }
    annotation_->bind(3, std::string_view(polygons.size() == 1 ? "Polygon" : "MultiPolygon"));
    annotation_->bind_bytes(6, wkb);
    add(key, detail::centre_of(outline), box, detail::size_of(outline), properties);
  }
  void commit() {
    annotation_.reset();
    detail::fill_rtree(*db_, std::move(boxes_));
    db_->run("COMMIT");
    db_.reset();
    AtomicFile file(path_);
    scratch_.copy_to(file);
    file.commit();
  }

 private:
  struct Box {
    Point least, most;
  };

  void metadata(const char* key, const Json& value) {
    Statement insert(*db_, "INSERT INTO metadata VALUES (?, ?)");
    const std::string text = detail::text_of(value);
    insert.bind(1, std::string_view(key)), insert.bind(2, std::string_view(text));
    insert.run();
  }
  void add(std::string_view key, Point centre, const Box& box, double area, std::string_view properties) {
    for (const double at : {box.least.x, box.least.y, box.most.x, box.most.y})
      if (!(std::abs(at) <= kLargestCoordinate))
        throw ArgumentError(message("write_annotation_store: a nucleus or corner is at ", at));
    ++id_;
    annotation_->bind(1, id_), annotation_->bind(2, key);
    annotation_->bind(4, centre.x), annotation_->bind(5, centre.y);
    annotation_->bind(7, properties), annotation_->bind(8, area);
    annotation_->run();
    boxes_.push_back(detail::rtree_row(id_, box.least.x, box.most.x, box.least.y, box.most.y));
  }

  std::filesystem::path path_;
  detail::ScratchFile scratch_;
  std::optional<Database> db_;
  std::optional<Statement> annotation_;
  std::vector<detail::RtreeRow> boxes_;
  std::int64_t id_ = 0;
};

std::string type_property(const std::string& name) { return detail::text_of(Json{{"type", name}}); }

}  // namespace

void write_annotation_store(const std::filesystem::path& path, const DetectionReport& report,
                            const AnnotationStoreOptions& options) {
  const std::vector<Point> centres = centres_of(report.nuclei);
  const detail::FeatureIds ids(report.image, centres);
  Json made_by = detail::provenance(report, "nucdet-annotation-store-1");
  if (options.offset != Point{}) made_by["offset"] = {options.offset.x, options.offset.y};
  StoreWriter writer(path, made_by);
  std::vector<std::string> classes;
  for (const std::string& name : report.classes.all()) classes.push_back(type_property(name));
  const std::string unknown = type_property(options.class_name);
  std::string key, properties;
  for (std::size_t i = 0; i < report.nuclei.size(); ++i) {
    const Nucleus& nucleus = report.nuclei[i];
    const bool known = nucleus.class_id != kUnknownClass && !classes.empty();
    properties = known ? classes.at(static_cast<std::size_t>(nucleus.class_id)) : unknown;
    properties.back() = ',';
    properties += R"("score":)";
    append_json_number(properties, nucleus.score);
    if (known) properties += R"(,"class_probability":)", append_json_number(properties, nucleus.class_probability);
    properties += '}';
    key.clear(), ids.append(key, i);
    writer.point(key, {nucleus.centre.x + options.offset.x, nucleus.centre.y + options.offset.y}, properties);
  }
  writer.commit();
}

void write_annotation_store(const std::filesystem::path& path, const Annotations& annotations) {
  std::vector<Point> places;  // of the areas' first corners, then the points
  std::vector<std::pair<const Area*, const char*>> areas;
  for (const Area& area : annotations.areas.regions) areas.push_back({&area, detail::kRegionClass});
  for (const Area& area : annotations.areas.ignored) areas.push_back({&area, detail::kIgnoredClass});
  for (const auto& [area, name] : areas) places.push_back(area->rings.at(0).at(0));
  places.insert(places.end(), annotations.points.begin(), annotations.points.end());
  const detail::FeatureIds ids(path.filename().string(), places);
  Json made_by;
  if (annotations.detections) made_by = {{"version", NUCDET_VERSION_STRING}, {"format", "nucdet-annotation-store-1"}};
  StoreWriter writer(path, made_by);
  std::string key;
  for (std::size_t i = 0; i < places.size(); ++i) {
    key.clear(), ids.append(key, i);
    if (i < areas.size()) {
      writer.polygon(key, *areas[i].first, type_property(areas[i].second));
      continue;
    }
    const std::string name = annotations.classes.empty() ? std::string() : annotations.classes[i - areas.size()];
    writer.point(key, places[i], name.empty() ? "{}" : type_property(name));
  }
  writer.commit();
}

#else

namespace {
[[noreturn]] void no_library(const std::filesystem::path& path) {
  throw IoError(
      message(path.string(), ": is to be an AnnotationStore, and nucdet was built without SQLite (libsqlite3-dev)"));
}
}  // namespace

void write_annotation_store(const std::filesystem::path& path, const DetectionReport&, const AnnotationStoreOptions&) {
  no_library(path);
}
void write_annotation_store(const std::filesystem::path& path, const Annotations&) { no_library(path); }

#endif

}  // namespace nucdet::io
