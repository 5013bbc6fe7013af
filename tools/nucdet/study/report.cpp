#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/provenance.hpp"

namespace nucdet::program::studies {

Spread spread_of(const std::vector<double>& values) {
  Spread s;
  double sum = 0, squares = 0;
  for (const double v : values)
    if (std::isfinite(v)) sum += v, ++s.count;
  const double n = static_cast<double>(s.count);
  s.mean = sum / n;  // NaN without any
  for (const double v : values)
    if (std::isfinite(v)) squares += (v - s.mean) * (v - s.mean);
  s.deviation = std::sqrt(squares / n);
  return s;
}

std::string shown(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

std::string shown(const Spread& spread, int digits) {
  return spread.count < 2 ? shown(spread.mean, digits)
                          : shown(spread.mean, digits) + " +- " + shown(spread.deviation, digits);
}

std::vector<std::string> score_cells(const metrics::Score& s) {
  return {shown(s.precision(), 4), shown(s.recall(), 4), shown(s.f1(), 4), shown(s.distance_mean(), 3)};
}

namespace {

const std::string kMark = message("<!-- ", io::kMadeBy, " -->\n");

/// Tables cannot say who made them: the one that is replaced must have the same columns.
void check_table(const std::filesystem::path& path, const std::string& header) {
  std::ifstream in(path);
  std::string line;
  if (in && (!std::getline(in, line) || line + '\n' != header))
    throw ArgumentError(message(path.string(), " is there and not this study's table: move it away"));
}

void check_chart(const std::filesystem::path& path) {
  if (std::filesystem::exists(path) && io::product_of(path) != io::Product::chart)
    throw ArgumentError(message(path.string(), " is there and not this study's chart: move it away"));
}

}  // namespace

Report::Report(std::filesystem::path folder, std::string title) : folder_(std::move(folder)), title_(std::move(title)) {
  std::error_code none;
  namespace fs = std::filesystem;
  // A part of a report that was never finished is ours too.
  const bool used = fs::is_directory(folder_, none) &&
                    std::any_of(fs::directory_iterator(folder_), fs::directory_iterator(), [](const auto& entry) {
                      return !entry.path().filename().string().starts_with(".nucdet-");
                    });
  if (used && !io::made_by_nucdet(folder_ / "report.md"))
    throw ArgumentError(message(folder_.string(),
                                " has files in it and no report of nucdet: move them away or choose "
                                "another --out"));
  io::make_folder(folder_);
  if (!fs::exists(folder_ / "report.md"))  // from now on the folder is known as a study's, whatever ends it
    io::write_atomically(folder_ / "report.md",
                         message(kMark, "# ", title_, "\n\nThis study has not come to its end.\n"));
}

void Report::table(const std::string& file, const Table& table, bool in_text) {
  if (folder_.empty()) return;
  std::string csv;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) csv += (i > 0 ? "," : "") + io::csv_field(cells[i]);
    csv += '\n';
  };
  line(table.columns);
  check_table(folder_ / (file + ".csv"), csv);
  for (const auto& row : table.rows) line(row);
  io::write_atomically(folder_ / (file + ".csv"), csv);
  if (!in_text) return;
  const auto marked = [&](const std::vector<std::string>& cells) {
    body_ += "|";
    for (const std::string& cell : cells) body_ += ' ' + cell + " |";
    body_ += '\n';
  };
  marked(table.columns);
  body_ += "|";
  for (std::size_t i = 0; i < table.columns.size(); ++i) body_ += "---|";
  body_ += '\n';
  for (const auto& row : table.rows) marked(row);
  body_ += '\n';
}

void Report::chart(const std::string& file, const io::Chart& chart, const std::string& caption) {
  if (folder_.empty()) return;
  check_chart(folder_ / (file + ".svg"));
  io::write_svg(folder_ / (file + ".svg"), chart);
  body_ += "![" + chart.title + "](" + file + ".svg)\n\n*" + caption + "*\n\n";
}

void Report::write() const {
  std::string text = message(kMark, "# ", title_, "\n\n") + body_ + "## What was run\n\n| | |\n|---|---|\n";
  for (const auto& [name, value] : facts_) text += "| " + name + " | " + value + " |\n";
  io::write_atomically(folder_ / "report.md", text);
}

}  // namespace nucdet::program::studies
