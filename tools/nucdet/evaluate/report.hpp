#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nucdet/io/json.hpp"

#include "scored.hpp"

/// What an evaluation says: tables for people, CSV and JSON for programs, curves.
namespace nucdet::program::evaluation {

/// All that was scored.
struct Result {
  metrics::Summary summary;
  std::vector<metrics::ImageScore> images;
  std::vector<metrics::CurvePoint> curve{};  ///< where a threshold chose what was found
  std::optional<io::ClassReport> classes{};
};

void print(const Result& result);
io::ScoreReport report_of(const EvaluateOptions& options, const Result& result, const Thresholds& use);
/// The files in the options' folder but for overlays, and their names, for whom they might replace something.
void write(const EvaluateOptions& options, const Result& result, const Thresholds& use);
std::vector<std::filesystem::path> files(const EvaluateOptions& options);

}  // namespace nucdet::program::evaluation
