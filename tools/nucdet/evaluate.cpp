#include <cstdio>
#include <functional>
#include <iomanip>
#include <iostream>
#include <optional>

#include "nucdet/detect/detector.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/chart.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/io/overlay.hpp"
#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/match/ungated.hpp"
#include "nucdet/metrics/curve.hpp"
#include "nucdet/metrics/summary.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/models/load.hpp"

#include "commands.hpp"
#include "device.hpp"
#include "progress.hpp"
#include "regions.hpp"
#include "results.hpp"
#include "score_overlay.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

/// A matcher chosen at run time; distances in reference pixels.
struct ChosenMatcher {
  std::function<match::Matching(std::span<const Point>, std::span<const Point>)> match;
  match::Matching operator()(std::span<const Point> predicted, std::span<const Point> truth) const {
    return match(predicted, truth);
  }
};

ChosenMatcher matcher_of(const std::string& name, double gate) {
  if (name == "greedy") return {match::GreedyMatcher{gate}};
  if (name == "ungated") return {match::UngatedThenFilter{gate}};
  return {match::HungarianMatcher{gate}};
}

/// One image's peaks and truth in reference pixels, and what it is called.
struct Scored {
  io::ManifestEntry entry;
  metrics::Candidates candidates;
};

/// The thresholds in use. What is found elsewhere, and regions, are taken whole.
struct Thresholds {
  detect::LocalMaxima peaks{.absolute = 0};
  float full_response = 5;

  /// What the curve is over: xi where the model has one, as in the paper, else the score.
  bool relative() const { return peaks.relative > 0; }
};

/// The peaks down to a low floor, for the curve; the thresholds in use and the model's classes are returned apart.
template <class Device>
std::vector<Scored> with_model(Context<Device>& context, const EvaluateOptions& o,
                               const std::vector<io::ManifestEntry>& entries, Thresholds& use, ClassNames& classes) {
  models::LoadedModel<Device> loaded = models::load_model(context, o.model, o.thresholds.replaced);
  if (!o.thresholds.components) use = {loaded.peaks, loaded.full_response};
  loaded.peaks.absolute = std::min(loaded.peaks.absolute, loaded.least_floor());
  const detect::Detector detector(*loaded.model, loaded.peaks, loaded.normalization, {.cell = o.tile},
                                  {.over = o.average});
  loaded.model.reset();
  classes = ClassNames(detector.classes());
  std::vector<Scored> scored;
  Progress progress("image", static_cast<std::int64_t>(entries.size()), 0, o.quiet);
  for (const io::ManifestEntry& entry : entries) {
    const data::Sample sample = models::load_sample(context.host(), entry, classes);
    const View<const float> image = view_of(sample.image);
    scored.push_back({entry,
                      {o.thresholds.components ? detector(sample.image, 1.0, regions_of(o.thresholds, loaded.peaks))
                                               : detector.candidates(image, detector.statistics(image)),
                       sample.points, sample.classes}});
    progress.update(static_cast<std::int64_t>(scored.size()), entry.image.filename().string());
  }
  return scored;
}

std::vector<Nucleus> kept(const Scored& s, const Thresholds& use) {
  return metrics::above(s.candidates.peaks, use.peaks.relative, static_cast<double>(use.peaks.absolute));
}

/// How well the model's classes are told apart, where the annotations name some of them.
std::optional<io::ClassReport> class_report(const std::vector<Scored>& images, const ClassNames& classes,
                                            const Thresholds& use, const ChosenMatcher& matcher) {
  const auto named = [](const Scored& s) {
    const std::vector<int>& truth = s.candidates.truth_classes;
    return std::any_of(truth.begin(), truth.end(), [](int c) { return c != kUnknownClass; });
  };
  if (classes.empty() || std::none_of(images.begin(), images.end(), named)) return std::nullopt;
  io::ClassReport report{classes, metrics::ClassScore(classes.size())};
  for (const Scored& s : images)
    report.score.add(matcher, kept(s, use), {s.candidates.truth, s.candidates.truth_classes});
  return report;
}

void print_classes(const io::ClassReport& report) {
  std::printf("%-18s %6s %7s %9s %7s %7s\n", "class", "", "nuclei", "precision", "recall", "F1");
  for (int c = 0; c < report.names.size(); ++c) {
    const metrics::Score s = report.score.of(c);
    std::printf("%-18s %6s %7lld %9.4f %7.4f %7.4f\n", report.names[c].c_str(), "",
                static_cast<long long>(s.hits + s.misses), s.precision(), s.recall(), s.f1());
  }
  std::printf("mean F1 of %d classes: %.4f\n", report.names.size(), report.score.mean_f1());
}

/// Detections made elsewhere: a points file for each image, in its own pixels.
std::vector<Scored> with_predictions(const EvaluateOptions& o, const std::vector<io::ManifestEntry>& entries) {
  std::vector<Scored> scored;
  for (const io::ManifestEntry& entry : entries) {
    Scored one{entry, {}};
    for (const Point& p : io::read_points(fs::path(o.predictions) / (entry.image.stem().string() + ".csv")))
      one.candidates.peaks.push_back({data::to_reference(p, entry.stated_scale()), 1});
    for (const Point& p : io::read_points(entry.annotations))
      one.candidates.truth.push_back(data::to_reference(p, entry.stated_scale()));
    scored.push_back(std::move(one));
  }
  return scored;
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

/// Over xi beside the absolute threshold in use, or over scores from 0.05 to 1 of the full scale.
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

void write_overlays(const EvaluateOptions& o, const std::vector<Scored>& images, const Thresholds& use,
                    const ChosenMatcher& matcher, const ClassNames& classes) {
  const fs::path folder = fs::path(o.out) / "overlays";
  io::make_folder(folder);
  for (const Scored& s : images) {
    const auto marks =
        score_marks(matcher, kept(s, use), {s.candidates.truth, s.candidates.truth_classes}, s.entry.stated_scale());
    io::write_png(folder / (s.entry.image.stem().string() + ".png"),
                  io::draw_overlay(io::read_image(s.entry.image), marks, {.classes = classes}));
  }
}

}  // namespace

int evaluate(const EvaluateOptions& o) {
  if (o.model.empty() == o.predictions.empty()) throw ArgumentError("evaluate: give either --model or --predictions");
  if (!o.predictions.empty() &&
      (o.thresholds.replaced.xi || o.thresholds.replaced.threshold || o.thresholds.components))
    throw ArgumentError(
        "evaluate: --threshold, --xi and --components are for --model; predictions are scored as they are");
  const std::vector<io::ManifestEntry> entries = models::entries_of(o.manifest, o.split);
  check_names(entries);
  for (const io::ManifestEntry& e : entries)
    if (e.annotations.empty()) throw IoError(message(e.image.string(), ": no annotations to score against"));
  Thresholds use;
  std::vector<Scored> images;
  ClassNames classes;
  if (o.predictions.empty())
    on_device(o.device, {}, o.quiet, [&](auto& context) {
      images = with_model(context, o, entries, use, classes);
      return 0;
    });
  else
    images = with_predictions(o, entries);
  const ChosenMatcher matcher = matcher_of(o.matcher, o.gate);
  std::vector<metrics::ImageScore> scores;
  std::vector<metrics::Candidates> candidates;
  for (const Scored& s : images) {
    scores.push_back({s.entry.image.stem().string(), s.entry.organ,
                      metrics::score(matcher, centres_of(kept(s, use)), s.candidates.truth)});
    candidates.push_back(s.candidates);
  }
  const metrics::Summary summary = metrics::summarize(scores);
  print_table(summary);
  const std::optional<io::ClassReport> by_class = class_report(images, classes, use, matcher);
  if (by_class) print_classes(*by_class);
  if (o.out.empty()) return 0;
  const fs::path folder = o.out;
  io::make_folder(folder);
  io::ScoreReport report{o.manifest,
                         o.model.empty() ? o.predictions : o.model,
                         o.matcher,
                         o.gate,
                         use.peaks.relative,
                         o.thresholds.components ? static_cast<float>(*o.thresholds.components) : use.peaks.threshold(),
                         row_of("pooled", summary.pooled, static_cast<Index>(images.size())),
                         summary.mean_f1,
                         {},
                         {},
                         {}};
  for (const auto& [name, s] : summary.groups) report.organs.push_back(row_of(name, s, summary.images.at(name)));
  for (const metrics::ImageScore& s : scores) report.images.push_back(row_of(s.name, s.score, 1));
  if (o.predictions.empty() && !o.thresholds.components) {
    report.curve_over = use.relative() ? "xi" : "threshold";
    const auto curve = curve_of(matcher, candidates, use);
    write_curve(folder, curve, use, summary.pooled);
    for (const metrics::CurvePoint& p : curve)
      report.curve.push_back({place_of(p, use), p.score.precision(), p.score.recall(), p.score.f1()});
  }
  report.classes = by_class;
  io::write_scores_json(folder / "scores.json", report);
  if (by_class) {
    io::write_class_scores(folder / "classes.csv", *by_class);
    io::write_confusion(folder / "confusion.csv", *by_class);
  }
  io::write_atomically(folder / "organs.csv", csv_of("organ", report.organs));
  io::write_atomically(folder / "images.csv", csv_of("image", report.images));
  if (o.overlays) write_overlays(o, images, use, matcher, classes);
  return 0;
}

}  // namespace nucdet::program
