#include <iostream>

#include "nucdet/detect/detector.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/models/load.hpp"

#include "commands.hpp"
#include "default_model.hpp"
#include "device.hpp"
#include "endings.hpp"
#include "evaluate/candidates.hpp"
#include "evaluate/overlays.hpp"
#include "evaluate/predictions.hpp"
#include "evaluate/report.hpp"
#include "guard.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;
using namespace evaluation;

/// The peaks down to a low floor, for the curve; the thresholds in use and the model's classes are returned apart.
template <class Device>
std::vector<Scored> with_model(Context<Device>& context, const EvaluateOptions& o, const std::vector<Input>& inputs,
                               Thresholds& use, ClassNames& classes) {
  models::LoadedModel<Device> loaded = models::load_model(context, o.model, o.thresholds.replaced);
  if (!o.thresholds.components) use = {loaded.peaks, loaded.full_response};
  loaded.peaks.absolute = std::min(loaded.peaks.absolute, loaded.least_floor());
  const detect::Detector detector(*loaded.model, loaded.peaks, loaded.normalization, {.cell = o.tile},
                                  {.over = o.average});
  loaded.model.reset();
  classes = ClassNames(detector.classes());
  return scored_inputs(detector, o, loaded, inputs);
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
  for (const Scored& s : images) report.score.add(matched(matcher, s, use));
  return report;
}

void check(const EvaluateOptions& o) {
  if (!o.model.empty() && !o.predictions.empty()) throw ArgumentError("evaluate: give either --model or --predictions");
  if (!o.predictions.empty() &&
      (o.thresholds.replaced.xi || o.thresholds.replaced.threshold || o.thresholds.components))
    throw ArgumentError(
        "evaluate: --threshold, --xi and --components are for --model; predictions are scored as they are");
  models::check(o.pixel_size);
}

OutputGuard guard_of(const EvaluateOptions& o, const std::vector<Input>& inputs) {
  OutputGuard guard(o.overwrite);
  if (o.out.empty()) return guard;
  guard.input(o.manifest), guard.input(o.model), guard.input(o.predictions), guard.input(o.areas);
  if (o.tissue != "auto" && o.tissue != "all") guard.input(o.tissue);
  for (const Input& i : inputs) guard.input(i.entry.image), guard.input(i.entry.annotations);
  guard.folder(o.out);
  for (const fs::path& file : files(o))
    guard.output(file, file.extension() == ".svg" ? io::Product::chart : io::Product::scores);
  if (!o.overlays) return guard;
  for (const Input& i : inputs)
    for (const fs::path& file : overlay_files(o, i)) guard.output(file, io::Product::drawing);
  return guard;
}

}  // namespace

int evaluate(const EvaluateOptions& asked) {
  EvaluateOptions o = asked;
  check(o);
  if (o.predictions.empty() && o.model.empty()) o.model = default_model();
  std::vector<std::string> notes;
  std::vector<Input> inputs = inputs_of(o.manifest, o.split, o.recursive, &notes);
  if (!o.quiet)
    for (const std::string& one : notes) note(one);
  for (const Input& i : inputs)
    if (i.entry.annotations.empty())
      throw IoError(message(i.entry.image.string(), ": no annotations to score against"));
  mark_slides(inputs);
  const OutputGuard guard = guard_of(o, inputs);
  const ChosenMatcher matcher = matcher_of(o.matcher, o.gate);
  Thresholds use;
  std::vector<Scored> images;
  ClassNames classes;
  if (o.predictions.empty())
    on_device(o.device, {}, o.quiet, [&](auto& context) {
      images = with_model(context, o, inputs, use, classes);
      return 0;
    });
  else
    images = with_predictions(o, inputs, matcher);
  Result result;
  std::vector<metrics::Candidates> candidates;
  for (const Scored& s : images) {
    result.images.push_back(
        {s.input.name.generic_string(), s.input.entry.organ, metrics::score_of(matched(matcher, s, use).matching)});
    candidates.push_back(s.candidates);
  }
  result.summary = metrics::summarize(result.images);
  result.classes = class_report(images, classes, use, matcher);
  if (o.predictions.empty() && !o.thresholds.components) result.curve = curve_of(matcher, candidates, use);
  if (const metrics::Score& all = result.summary.pooled;
      all.hits >= 10 && all.false_alarms == 0 && all.misses == 0 && all.distance_mean() < 1e-3)
    note("warning: the detections are the annotations, to a thousandth of a pixel");
  if (o.json)
    std::cout << io::scores_json(report_of(o, result, use)) << '\n';
  else
    print(result);
  if (o.out.empty()) return 0;
  guard.check_again();
  io::make_folder(o.out);
  write(o, result, use);
  if (o.overlays) write_overlays(o, images, use, matcher, classes);
  return 0;
}

}  // namespace nucdet::program
