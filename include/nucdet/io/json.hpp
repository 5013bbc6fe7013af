#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "nucdet/core/shape.hpp"
#include "nucdet/detect/nucleus.hpp"

/// Results as JSON. Values that are not finite (an undefined score) are written as null. Bytes that
/// are not UTF-8 (file names may hold any) become U+FFFD. Every writer throws IoError if the file cannot be written.
namespace nucdet::io {

/// What was found in one image, in its own pixels; (0, 0) is the centre of the top left pixel.
struct DetectionReport {
  std::string image{};
  Index width = 0, height = 0;
  double scale = 1;  ///< source pixels to reference pixels
  std::string model{};
  double threshold = 0;  ///< xi: the fraction of the highest response
  float floor = 0;       ///< the least response
  std::vector<Nucleus> nuclei{};
};

/// {"format": "nucdet-detections-1", "image", "width", "height", "scale", "model", "threshold", "floor",
///  "count", "nuclei": [{"x", "y", "score"}, ...]}
void write_detections_json(const std::filesystem::path& path, const DetectionReport& report);

/// A GeoJSON FeatureCollection of points for QuPath and GIS tools; every feature is a "detection" of class `class_name`
/// with its score as a measurement. QuPath's origin is the corner of the top left pixel: coordinates are x + 0.5, y +
/// 0.5.
void write_geojson(const std::filesystem::path& path, const DetectionReport& report,
                   const std::string& class_name = "Nucleus");

/// The scores of one image, one organ, or all of them.
struct ScoreRow {
  std::string name{};
  Index images = 1;
  Index truths = 0, detections = 0, hits = 0;
  double precision = 0, recall = 0, f1 = 0;
  double distance_mean = 0, distance_deviation = 0;  ///< of the hits to their truth, reference pixels
};

/// One point of the precision-recall curve, which is over xi alone: the floor is not applied.
struct CurveRow {
  double threshold = 0, precision = 0, recall = 0, f1 = 0;
};

struct ScoreReport {
  std::string data{}, model{}, matcher{};
  double gate = 0;  ///< reference pixels
  double threshold = 0;
  float floor = 0;
  ScoreRow pooled{};  ///< counts of all images together
  double mean_organ_f1 = 0;
  std::vector<ScoreRow> organs{}, images{};
  std::vector<CurveRow> curve{};
};

/// {"format": "nucdet-scores-1", "data", "model", "matcher", "gate", "threshold", "floor", "pooled": {...},
///  "mean_organ_f1", "organs": [...], "images": [...], "curve": [...]}; the members are those of ScoreReport and its
///  rows.
void write_scores_json(const std::filesystem::path& path, const ScoreReport& report);

/// Named figures and texts, in their order.
using JsonRecord = std::vector<std::pair<std::string, std::variant<std::string, double>>>;
/// Writes a list of them. Numbers that are not finite become null.
void write_records_json(const std::filesystem::path& path, const std::vector<JsonRecord>& records);

}  // namespace nucdet::io
