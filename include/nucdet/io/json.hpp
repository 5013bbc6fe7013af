#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nucdet/core/shape.hpp"
#include "nucdet/data/normalization/statistics.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/class_report.hpp"
#include "nucdet/io/picture.hpp"

/// Results as JSON. Values that are not finite (an undefined score) are written as null. Bytes that
/// are not UTF-8 (file names may hold any) become U+FFFD. Every writer throws IoError if the file cannot be written.
namespace nucdet::io {

/// What was found in one image, in its own pixels; (0, 0) is the centre of the top left pixel.
struct DetectionReport {
  /// Of a slide: what positions count from, and where that lies in level 0. Without a name they count from level 0's
  /// own corner.
  struct Origin {
    std::string name{};
    Index x = 0, y = 0;
  };
  std::string image{};
  Index width = 0, height = 0;  ///< of the image, or of what of it lies beyond the origin
  double scale = 1;             ///< source pixels to reference pixels
  Origin origin{};
  PixelSize pixel_size{};  ///< where it is known, tables have positions in um too
  std::string model{};
  std::string model_hash{};     ///< of the weight file's bytes, hexadecimal
  std::string key{};            ///< by what a result of the same image, weights, settings and version is known again
  std::string device{};         ///< what computed it: "cpu, avx2", "cuda, NVIDIA H200, bf16"
  std::string normalization{};  ///< the rule's name
  data::ChannelStatistics statistics{};  ///< and its numbers for this image
  float threshold = 0;                   ///< the least score
  double xi = 0;                         ///< the least fraction of the image's highest response
  float full_scale = 0;                  ///< the response that scores 1; 0: scores are responses
  Index tile = 0;                        ///< reference pixels along a side of the lattice's cells
  int average = 1;                       ///< ways in which the network looked at the image
  double area_mm2 = 0;                   ///< where nuclei count; 0: all of the image, or not known
  std::vector<Nucleus> nuclei{};
  ClassNames classes{};                        ///< of a network with classes
  std::map<std::string, std::string> files{};  ///< the other files of this result: AtomicFiles::hashes
};

/// {"format": "nucdet-detections-2", "nucdet_version", "key", "device", "image", "width", "height",
///  "origin": {"name", "x", "y"}, "scale",
///  "um_per_pixel": {"x", "y", "source"}, "model", "model_hash", "normalization": {"rule", "mean", "deviation"},
///  "threshold", "xi", "full_scale", "tile", "average", "area_mm2", "count",
///  "nuclei": [{"x", "y", "score"}, ...], "files": {"a.json": hash, "a.csv": hash, ...}}
/// What is not known is left out: "key", "device", "width" and "height", "origin", "um_per_pixel", "model_hash",
/// "area_mm2"; without a model all from it to "average", and "scale" where the pixel size is not known either. A
/// network with classes adds "classes", their names, and "class_counts", the numbers of their nuclei, before "count",
/// and to each nucleus "class" and "class_probability". A nucleus has a line of its own; memory does not grow with
/// their number. "files" tells whether somebody has worked on them since (record_of). Format 1, of version 0.1, had xi
/// as "threshold" and the least response as "floor".
void write_detections_json(const std::filesystem::path& path, const DetectionReport& report);

/// Whether a text is what write_detections_json writes, by its first bytes.
bool is_detections_json(std::string_view text);
/// Nuclei of such a text, of either format, and their classes; `detections` is set. Throws IoError, naming `where`.
Annotations parse_detections_json(std::string_view text, std::string_view where);

/// The scores of one image, one organ, or all of them.
struct ScoreRow {
  std::string name{};
  Index images = 1;
  Index truths = 0, detections = 0, hits = 0;
  double precision = 0, recall = 0, f1 = 0;
  double distance_mean = 0, distance_deviation = 0;  ///< of the hits to their truth, reference pixels
};

/// One point of the precision-recall curve: at the least score, or at xi alone, without that.
struct CurveRow {
  double at = 0, precision = 0, recall = 0, f1 = 0;
};

struct ScoreReport {
  std::string data{}, model{}, matcher{};
  double gate = 0;  ///< reference pixels
  double xi = 0;
  float threshold = 0;  ///< the least score
  ScoreRow pooled{};    ///< counts of all images together
  double mean_organ_f1 = 0;
  std::vector<ScoreRow> organs{}, images{};
  std::string curve_over{};  ///< threshold or xi
  std::vector<CurveRow> curve{};
  std::optional<ClassReport> classes{};        ///< where classes were scored
  std::map<std::string, std::string> files{};  ///< the other files of this evaluation: AtomicFiles::hashes
};

/// {"format": "nucdet-scores-2", "data", "model", "matcher", "gate", "threshold", "xi", "pooled": {...},
///  "mean_organ_f1", "organs": [...], "images": [...], "curve_over", "curve": [...], "files": {name: hash}}; the
///  members are those of ScoreReport and its rows. Where classes were scored: "mean_class_f1", "classes": [{"name",
///  "truths", "detections", "hits", "precision", "recall", "f1"}, ...], "confusion": the rows of write_confusion
///  without names. Format 1, of version 0.1, had xi as "threshold" and the least response as "floor".
void write_scores_json(const std::filesystem::path& path, const ScoreReport& report);
/// The same on one line.
std::string scores_json(const ScoreReport& report);

/// Named figures and texts, in their order.
using JsonRecord = std::vector<std::pair<std::string, std::variant<std::string, double>>>;
/// Writes a list of them. Numbers that are not finite become null.
void write_records_json(const std::filesystem::path& path, const std::vector<JsonRecord>& records);

}  // namespace nucdet::io
