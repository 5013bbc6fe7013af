#include "training_log.hpp"

#include <charconv>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <limits>
#include <locale>
#include <sstream>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/chart.hpp"

namespace nucdet::models {

namespace {

constexpr const char* kSteps = "log.steps";
constexpr const char* kSums[] = {"log.loss", "log.rate", "log.gradient_norm"};

/// A cell of the log, the file, row and column (from 1) of which are told; NaN for an empty one. Throws IoError for
/// what is no number.
double number_of(const std::string& cell, const std::filesystem::path& csv, std::size_t row, std::size_t column) {
  if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !(std::abs(value) < 1e15))
    throw IoError(message(csv.string(), ": row ", row, ", column ", column, " is '", cell.substr(0, 80),
                          "', wanted a number; without the file a resumed run begins a new log"));
  return value;
}

io::Chart chart_of(const char* title, const char* y_label, std::optional<io::ChartRange> range) {
  return {.title = title,
          .x_label = "iteration",
          .y_label = y_label,
          .series = {},
          .notes = {},
          .x_range = {},
          .y_range = range,
          .log_y = !range};
}

}  // namespace

std::string TrainingLog::header() const {
  return std::string("iteration,loss,rate,gradient_norm,validation_loss,f1,worst,xi,threshold,best") +
         (classes_ ? ",class_f1" : "");
}

void TrainingLog::write_unfinished(io::Metadata& checkpoint) const {
  if (steps_ == 0) return;
  checkpoint[kSteps] = std::to_string(steps_);
  for (const auto& [key, sum] : {std::pair{kSums[0], loss_}, {kSums[1], rate_}, {kSums[2], norm_}})
    checkpoint[key] = io::number_text(sum);
}

void TrainingLog::resume(const std::filesystem::path& csv, std::int64_t iteration, const io::Metadata& checkpoint) {
  const auto number = [&](const char* key) {
    return io::metadata_number(checkpoint, key, 0, (csv.parent_path() / "last.safetensors").string());
  };
  steps_ = static_cast<std::int64_t>(number(kSteps));
  loss_ = number(kSums[0]), rate_ = number(kSums[1]), norm_ = number(kSums[2]);
  std::ifstream in(csv);
  std::string line;
  if (!in || !std::getline(in, line)) return;
  if (line != header())
    throw IoError(message(csv.string(), ": row 1 is '", line.substr(0, 200), "', wanted '", header(), "'"));
  for (std::size_t row_number = 2; std::getline(in, line); ++row_number) {
    std::istringstream cells(line);
    std::vector<double> v;
    for (std::string cell; std::getline(cells, cell, ',');) v.push_back(number_of(cell, csv, row_number, v.size() + 1));
    if (v.size() < 4)
      throw IoError(message(csv.string(), ": row ", row_number, " has ", v.size(), " columns, wanted at least 4"));
    if (std::isnan(v[0]))
      throw IoError(message(csv.string(), ": row ", row_number, ", column 1 is empty, wanted an iteration"));
    Row row{static_cast<std::int64_t>(v[0]), v[1], v[2], v[3], std::nullopt};
    if (row.iteration > iteration) break;
    if (v.size() >= 10 && !std::isnan(v[4]))
      row.validation = train::Validation{.iteration = row.iteration,
                                         .loss = v[4],
                                         .f1 = v[5],
                                         .worst = v[6],
                                         .xi = v[7],
                                         .floor = v[8] * full_scale_,
                                         .best = v[9] != 0,
                                         .class_f1 = v.size() > 10 ? v[10] : -1};
    rows_.push_back(row);
  }
}

void TrainingLog::add(const train::StepReport& report) {
  loss_ += report.loss, rate_ += report.rate, norm_ += report.gradient_norm, ++steps_;
  if (report.iteration % every_ == 0) close_row(report.iteration);
}

void TrainingLog::add(const train::Validation& validation) {
  if (rows_.empty() || rows_.back().iteration != validation.iteration) close_row(validation.iteration);
  rows_.back().validation = validation;
}

void TrainingLog::close_row(std::int64_t iteration) {
  const double n = static_cast<double>(steps_);  // none: NaN
  rows_.push_back({iteration, loss_ / n, rate_ / n, norm_ / n, std::nullopt});
  loss_ = rate_ = norm_ = 0, steps_ = 0;
}

void TrainingLog::write(const std::filesystem::path& folder) const {
  std::ostringstream csv;
  csv.imbue(std::locale::classic());
  csv << header() << '\n' << std::setprecision(9);
  io::Chart chart = chart_of("Training", "loss", {});
  chart.series = {{.label = "training", .points = {}}, {.label = "validation", .points = {}, .markers = true}};
  io::Chart f1 = chart_of("Validation", "F1", io::ChartRange{0, 1});
  f1.series = {{.label = "F1, mean of the data sets", .points = {}, .markers = true},
               {.label = "the worst of them", .points = {}, .markers = true}};
  if (classes_) f1.series.push_back({.label = "mean F1 of the classes", .points = {}, .markers = true});
  for (const Row& row : rows_) {
    csv << row.iteration << ',';
    for (const double v : {row.loss, row.rate, row.gradient_norm}) std::isnan(v) ? csv << ',' : csv << v << ',';
    if (const auto& v = row.validation) {
      csv << v->loss << ',' << v->f1 << ',' << v->worst << ',' << v->xi << ',' << v->floor / full_scale_ << ','
          << (v->best ? 1 : 0);
      if (classes_) csv << ',' << v->class_f1;
    } else {
      csv << (classes_ ? ",,,,,," : ",,,,,");
    }
    csv << '\n';
    const double x = static_cast<double>(row.iteration);
    if (!std::isnan(row.loss)) chart.series[0].points.push_back({x, row.loss});
    if (!row.validation) continue;
    chart.series[1].points.push_back({x, row.validation->loss});
    f1.series[0].points.push_back({x, row.validation->f1}), f1.series[1].points.push_back({x, row.validation->worst});
    if (classes_) f1.series[2].points.push_back({x, row.validation->class_f1});
  }
  io::write_atomically(folder / "log.csv", csv.str());
  io::write_svg(folder / "loss.svg", chart);
  if (!f1.series[0].points.empty()) io::write_svg(folder / "f1.svg", f1);
}

}  // namespace nucdet::models
