#include "report.hpp"

#include <cmath>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/chart.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/match/ungated.hpp"

namespace nucdet::program::evaluation {

ChosenMatcher matcher_of(const std::string& name, double gate) {
  if (name == "greedy") return {match::GreedyMatcher{gate}};
  if (name == "ungated") return {match::UngatedThenFilter{gate}};
  return {match::HungarianMatcher{gate}};
}

std::vector<metrics::CurvePoint> curve_of(const ChosenMatcher& matcher, const std::vector<metrics::Candidates>& images,
                                          const Thresholds& use) {
  if (use.relative())
    return metrics::precision_recall(matcher, images, metrics::default_thresholds(),
                                     static_cast<double>(use.peaks.absolute));
  std::vector<metrics::CurvePoint> curve;
  for (int i = 1; i <= 20; ++i)
    curve.push_back(
        metrics::precision_recall(matcher, images, {0}, 0.05 * i * static_cast<double>(use.full_response))[0]);
  return curve;
}

namespace {

namespace fs = std::filesystem;

void print_classes(const io::ClassReport& report) {
  std::printf("%-18s %6s %7s %9s %7s %7s\n", "class", "", "nuclei", "precision", "recall", "F1");
  for (int c = 0; c < report.names.size(); ++c) {
    const metrics::Score s = report.score.of(c);
    std::printf("%-18s %6s %7lld %9.4f %7.4f %7.4f\n", report.names[c].c_str(), "",
                static_cast<long long>(s.hits + s.misses), s.precision(), s.recall(), s.f1());
  }
  std::printf("mean F1 of %d classes: %.4f\n", report.names.size(), report.score.mean_f1());
}

io::ScoreRow row_of(const std::string& name, const metrics::Score& s, Index images) {
  return {name,       images, s.hits + s.misses, s.hits + s.false_alarms, s.hits, s.precision(),
          s.recall(), s.f1(), s.distance_mean(), s.distance_deviation()};
}

std::string csv_of(const char* first, const std::vector<io::ScoreRow>& rows) {
  std::ostringstream csv;
  csv << first << ",images,nuclei,detections,hits,precision,recall,f1,distance_mean,distance_deviation\n"
      << std::setprecision(6);
  const auto cell = [&](double v) -> std::ostream& { return std::isfinite(v) ? csv << ',' << v : csv << ','; };
  for (const io::ScoreRow& r : rows) {
    csv << io::csv_field(r.name) << ',' << r.images << ',' << r.truths << ',' << r.detections << ',' << r.hits;
    cell(r.precision), cell(r.recall), cell(r.f1), cell(r.distance_mean), cell(r.distance_deviation);
    csv << '\n';
  }
  return csv.str();
}

double place_of(const metrics::CurvePoint& p, const Thresholds& use) {
  return use.relative() ? p.xi : p.floor / static_cast<double>(use.full_response);
}

void write_curve(const fs::path& folder, const std::vector<metrics::CurvePoint>& curve, const Thresholds& use,
                 const metrics::Score& at) {
  const std::string name = use.relative() ? "xi" : "threshold";
  std::ostringstream csv;
  csv << name << ",precision,recall,f1\n" << std::setprecision(6);
  io::Chart pr{.title = "Precision and recall",
               .x_label = "recall",
               .y_label = "precision",
               .series = {{.label = use.relative() ? "threshold xi from 0 to 1" : "threshold from 0.05 to 1",
                           .points = {},
                           .markers = true}},
               .notes = {},
               .x_range = io::ChartRange{0, 1},
               .y_range = io::ChartRange{0, 1}};
  io::Chart by_threshold{.title = "Threshold",
                         .x_label = use.relative() ? "xi (fraction of the image's highest response)" : "score",
                         .y_label = "",
                         .series = {{.label = "F1", .points = {}, .markers = true},
                                    {.label = "precision", .points = {}},
                                    {.label = "recall", .points = {}}},
                         .notes = {},
                         .x_range = io::ChartRange{0, 1},
                         .y_range = io::ChartRange{0, 1}};
  for (const metrics::CurvePoint& p : curve) {
    const double precision = p.score.precision(), recall = p.score.recall(), f1 = p.score.f1();
    const double x = place_of(p, use);
    csv << x << ',' << precision << ',' << recall << ',' << f1 << '\n';
    pr.series[0].points.push_back({recall, precision});
    by_threshold.series[0].points.push_back({x, f1}), by_threshold.series[1].points.push_back({x, precision}),
        by_threshold.series[2].points.push_back({x, recall});
  }
  pr.notes = {{{at.recall(), at.precision()},
               message("threshold ", use.peaks.threshold(), use.relative() ? message(", xi ", use.peaks.relative) : "",
                       ": F1 ", std::round(at.f1() * 1000) / 1000)}};
  io::write_atomically(folder / "curve.csv", csv.str());
  io::write_svg(folder / "curve.svg", pr);
  io::write_svg(folder / "threshold.svg", by_threshold);
}

void print_table(const metrics::Summary& summary) {
  const auto line = [](const std::string& name, Index images, const metrics::Score& s) {
    std::printf("%-18s %6lld %7lld %9.4f %7.4f %7.4f ", name.c_str(), static_cast<long long>(images),
                static_cast<long long>(s.hits + s.misses), s.precision(), s.recall(), s.f1());
    if (s.hits > 0) std::printf("%6.2f +- %.2f\n", s.distance_mean(), s.distance_deviation());
    if (s.hits == 0) std::printf("%6s\n", "-");
  };
  std::printf("%-18s %6s %7s %9s %7s %7s %s\n", "organ", "images", "nuclei", "precision", "recall", "F1", "distance");
  Index images = 0;
  for (const auto& [name, s] : summary.groups)
    line(name.empty() ? "-" : name, summary.images.at(name), s), images += summary.images.at(name);
  line("pooled", images, summary.pooled);
  std::printf("mean F1 of %zu organs: %.4f +- %.4f\n", summary.groups.size(), summary.mean_f1, summary.deviation_f1);
}

}  // namespace

namespace {

/// What is written where a model was scored, or where there are classes.
constexpr const char* kOthers[] = {"curve.csv", "curve.svg", "threshold.svg", "classes.csv", "confusion.csv"};

}  // namespace

void print(const Result& result) {
  print_table(result.summary);
  if (result.classes) print_classes(*result.classes);
}

io::ScoreReport report_of(const EvaluateOptions& o, const Result& result, const Thresholds& use) {
  io::ScoreReport report{o.manifest,
                         o.predictions.empty() ? o.model : o.predictions,
                         o.matcher,
                         o.gate,
                         use.peaks.relative,
                         o.thresholds.components ? static_cast<float>(*o.thresholds.components) : use.peaks.threshold(),
                         row_of("pooled", result.summary.pooled, static_cast<Index>(result.images.size())),
                         result.summary.mean_f1,
                         {},
                         {},
                         {}};
  for (const auto& [name, s] : result.summary.groups)
    report.organs.push_back(row_of(name, s, result.summary.images.at(name)));
  for (const metrics::ImageScore& s : result.images) report.images.push_back(row_of(s.name, s.score, 1));
  if (!result.curve.empty()) report.curve_over = use.relative() ? "xi" : "threshold";
  for (const metrics::CurvePoint& p : result.curve)
    report.curve.push_back({place_of(p, use), p.score.precision(), p.score.recall(), p.score.f1()});
  report.classes = result.classes;
  return report;
}

void write(const EvaluateOptions& o, const Result& result, const Thresholds& use) {
  const fs::path folder = o.out;
  io::ScoreReport report = report_of(o, result, use);
  io::AtomicFiles together;
  if (!result.curve.empty()) write_curve(folder, result.curve, use, result.summary.pooled);
  if (result.classes) {
    io::write_class_scores(folder / "classes.csv", *result.classes);
    io::write_confusion(folder / "confusion.csv", *result.classes);
  }
  io::write_atomically(folder / "organs.csv", csv_of("organ", report.organs));
  io::write_atomically(folder / "images.csv", csv_of("image", report.images));
  report.files = together.records();
  std::vector<fs::path> others;
  for (const char* name : kOthers)
    if (!report.files.contains(name)) others.push_back(folder / name);
  report.files.merge(io::earlier_records(others));
  io::write_scores_json(folder / "scores.json", report);
  together.commit();
  if (!io::forget_replaced(report.files)) return;
  io::write_scores_json(folder / "scores.json", report);
  together.commit();
}

std::vector<fs::path> files(const EvaluateOptions& o) {
  std::vector<fs::path> all;
  for (const char* name : {"scores.json", "organs.csv", "images.csv"}) all.push_back(fs::path(o.out) / name);
  if (o.predictions.empty())
    for (const char* name : kOthers) all.push_back(fs::path(o.out) / name);
  return all;
}

}  // namespace nucdet::program::evaluation
