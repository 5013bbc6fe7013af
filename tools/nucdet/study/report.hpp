#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/chart.hpp"
#include "nucdet/metrics/score.hpp"

namespace nucdet::program::studies {

/// Mean and standard deviation of some numbers (over n); those that are not finite are left out.
struct Spread {
  double mean = 0, deviation = 0;
  std::size_t count = 0;
};
Spread spread_of(const std::vector<double>& values);

/// "0.812", "-" for what is not finite.
std::string shown(double value, int digits = 3);
/// "0.812 +- 0.034", without the second where there is one value.
std::string shown(const Spread& spread, int digits = 3);

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// precision, recall, F1 and mean distance, as cells of a table, under kScoreColumns.
std::vector<std::string> score_cells(const metrics::Score& score);
inline const std::vector<std::string> kScoreColumns{"precision", "recall", "f1", "distance"};

/// What a study leaves: report.md for people, CSV and SVG files beside it.
class Report {
 public:
  /// Nothing is written: for a look at what a study needs.
  Report() = default;
  Report(std::filesystem::path folder, std::string title);

  const std::filesystem::path& folder() const { return folder_; }
  /// A line of what was run.
  void fact(const std::string& name, const std::string& value) { facts_.emplace_back(name, value); }
  void paragraph(const std::string& text) { body_ += text + "\n\n"; }
  /// Writes FILE.csv; in_text: also as a table of the report.
  void table(const std::string& file, const Table& table, bool in_text);
  /// Writes FILE.svg and shows it, with the caption below.
  void chart(const std::string& file, const io::Chart& chart, const std::string& caption);
  void write() const;

 private:
  std::filesystem::path folder_;
  std::string title_, body_;
  std::vector<std::pair<std::string, std::string>> facts_;
};

}  // namespace nucdet::program::studies
