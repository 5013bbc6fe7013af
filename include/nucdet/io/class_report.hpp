#pragma once
#include <filesystem>

#include "nucdet/core/class_names.hpp"
#include "nucdet/metrics/class_score.hpp"

namespace nucdet::io {

/// Scores by class and what the classes are called.
struct ClassReport {
  ClassNames names;
  metrics::ClassScore score;
};

/// A line a class: class, nuclei, detections, hits, precision, recall, f1 (see metrics::ClassScore). Nuclei are those
/// of the class, detections those found as it; of the latter those on a nucleus of unknown class are not counted.
/// Throws IoError, and ArgumentError for names that are not as many as the score's classes.
void write_class_scores(const std::filesystem::path& path, const ClassReport& report);

/// The confusion matrix: a line for each true class, then for nuclei of unknown class ("unknown") and for false alarms
/// ("none"); a column for each class found, then for detections without a class ("unknown") and for missed nuclei
/// ("missed"). Throws as write_class_scores does.
void write_confusion(const std::filesystem::path& path, const ClassReport& report);

}  // namespace nucdet::io
