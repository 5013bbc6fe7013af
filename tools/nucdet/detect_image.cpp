#include "detect_image.hpp"

#include <iostream>
#include <utility>

#include "nucdet/core/printable.hpp"
#include "nucdet/models/dataset.hpp"

#include "json_output.hpp"

namespace nucdet::program {

namespace fs = std::filesystem;

io::DetectionReport report_of(const DetectOptions& o, std::string model_hash, const detect::LocalMaxima& peaks,
                              const data::Normalization& rule) {
  io::DetectionReport report;
  report.model = fs::path(o.model).filename().string();
  report.model_hash = std::move(model_hash);
  report.normalization = data::name_of(rule);
  report.threshold = o.thresholds.components ? static_cast<float>(*o.thresholds.components) : peaks.threshold();
  report.xi = o.thresholds.components ? 0 : peaks.relative;
  report.full_scale = peaks.full_scale, report.tile = o.tile, report.average = o.average;
  return report;
}

void guard_results(OutputGuard& guard, const DetectOptions& o, const Input& input) {
  for (const fs::path& file : result_files(o, input)) guard.output(file, product_of_result(file));
  if (input.slide) guard.own_output(input.result(o.out, ".journal"));
}

namespace {

io::SummaryRow summary_of(const Input& input, const io::DetectionReport& report, double seconds) {
  io::SummaryRow row{
      .image = input.name.generic_string(),
      .width = report.width,
      .height = report.height,
      .pixel_size = report.pixel_size,
      .area_mm2 = report.area_mm2,
      .nuclei = static_cast<Index>(report.nuclei.size()),
      .of_class = std::vector<Index>(report.classes.empty() ? 0 : static_cast<std::size_t>(report.classes.size())),
      .seconds = seconds};
  for (const Nucleus& n : report.nuclei)
    if (n.class_id != kUnknownClass && !row.of_class.empty()) ++row.of_class[static_cast<std::size_t>(n.class_id)];
  return row;
}

/// Once more, right before they are written: others may have written there while the network was at work.
void check_results(const DetectOptions& o, const Input& input) {
  OutputGuard guard(o.overwrite);
  guard_results(guard, o, input);
}

}  // namespace

io::SummaryRow finish(const DetectOptions& o, const Input& input, const Looked& looked, io::DetectionReport& report,
                      std::chrono::steady_clock::time_point begin) {
  if (report.pixel_size.known())
    report.area_mm2 = looked.counted_pixels * report.pixel_size.x * report.pixel_size.y * 1e-6;
  check_results(o, input);
  write_results(o, input, looked.drawings, report);
  if (looked.written) looked.written();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const fs::path result = input.result(o.out, ".csv");
  if (o.json)
    print_json({{"image", input.entry.image.string()},
                {"result", result.string()},
                {"nuclei", report.nuclei.size()},
                {"scale", report.scale}});
  else
    std::cout << printable(result.string()) << '\t' << report.nuclei.size() << '\n';
  return summary_of(input, report, seconds);
}

}  // namespace nucdet::program
