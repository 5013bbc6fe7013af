#include "run_log.hpp"

#include <cmath>
#include <fstream>
#include <iomanip>
#include <limits>
#include <sstream>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/chart.hpp"

namespace nucdet::program {

namespace {
constexpr const char* kHeader = "iteration,loss,rate,gradient_norm,validation_loss,f1,worst,xi,threshold,best";
}

void RunLog::resume(const std::filesystem::path& csv, std::int64_t iteration) {
  std::ifstream in(csv);
  std::string line;
  if (!in || !std::getline(in, line)) return;
  if (line != kHeader) throw IoError(message(csv.string(), ": header is '", line, "', wanted '", kHeader, "'"));
  while (std::getline(in, line)) {
    std::istringstream cells(line);
    std::vector<double> v;
    for (std::string cell; std::getline(cells, cell, ',');)
      v.push_back(cell.empty() ? std::numeric_limits<double>::quiet_NaN() : std::stod(cell));
    if (v.size() < 4)
      throw IoError(message(csv.string(), ": row '", line, "' has ", v.size(), " cells, wanted at least 4"));
    Row row{static_cast<std::int64_t>(v[0]), v[1], v[2], v[3], std::nullopt};
    if (row.iteration > iteration) break;
    if (v.size() >= 10 && !std::isnan(v[4]))
      row.validation = train::Validation{row.iteration, v[4], v[5], v[6], v[7], v[8] * full_scale_, v[9] != 0, {}};
    rows_.push_back(row);
  }
}

void RunLog::add(const train::StepReport& report) {
  loss_ += report.loss, rate_ += report.rate, norm_ += report.gradient_norm, ++steps_;
  if (report.iteration % every_ == 0) close_row(report.iteration);
}

void RunLog::add(const train::Validation& validation) {
  if (rows_.empty() || rows_.back().iteration != validation.iteration) close_row(validation.iteration);
  rows_.back().validation = validation;
}

void RunLog::close_row(std::int64_t iteration) {
  const double n = static_cast<double>(steps_);  // none: NaN
  rows_.push_back({iteration, loss_ / n, rate_ / n, norm_ / n, std::nullopt});
  loss_ = rate_ = norm_ = 0, steps_ = 0;
}

void RunLog::write(const std::filesystem::path& folder) const {
  std::ostringstream csv;
  csv << kHeader << '\n' << std::setprecision(9);
  io::Chart chart{.title = "Training",
                  .x_label = "iteration",
                  .y_label = "loss",
                  .series = {},
                  .notes = {},
                  .x_range = {},
                  .y_range = {},
                  .log_y = true};
  chart.series = {{.label = "training", .points = {}}, {.label = "validation", .points = {}, .markers = true}};
  io::Chart f1{.title = "Validation",
               .x_label = "iteration",
               .y_label = "F1",
               .series = {{.label = "F1, mean of the data sets", .points = {}, .markers = true},
                          {.label = "the worst of them", .points = {}, .markers = true}},
               .notes = {},
               .x_range = {},
               .y_range = io::ChartRange{0, 1}};
  for (const Row& row : rows_) {
    csv << row.iteration << ',';
    for (const double v : {row.loss, row.rate, row.gradient_norm}) std::isnan(v) ? csv << ',' : csv << v << ',';
    if (row.validation)
      csv << row.validation->loss << ',' << row.validation->f1 << ',' << row.validation->worst << ','
          << row.validation->xi << ',' << row.validation->floor / full_scale_ << ',' << (row.validation->best ? 1 : 0)
          << '\n';
    else
      csv << ",,,,,\n";
    const double x = static_cast<double>(row.iteration);
    if (!std::isnan(row.loss)) chart.series[0].points.push_back({x, row.loss});
    if (row.validation)
      chart.series[1].points.push_back({x, row.validation->loss}),
          f1.series[0].points.push_back({x, row.validation->f1}),
          f1.series[1].points.push_back({x, row.validation->worst});
  }
  io::write_atomically(folder / "log.csv", csv.str());
  io::write_svg(folder / "loss.svg", chart);
  if (!f1.series[0].points.empty()) io::write_svg(folder / "f1.svg", f1);
}

}  // namespace nucdet::program
