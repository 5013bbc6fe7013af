#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/printable.hpp"
#include "nucdet/data/he_look.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/content_hash.hpp"
#include "nucdet/io/summary_csv.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/version.hpp"

#include "cohort.hpp"
#include "commands.hpp"
#include "default_model.hpp"
#include "detect_part.hpp"
#include "detect_results.hpp"
#include "detect_slide.hpp"
#include "device.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "interrupt.hpp"
#include "json_output.hpp"
#include "memory.hpp"
#include "pictures_ahead.hpp"
#include "progress.hpp"
#include "regions.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;
using detect::Rectangle;

/// The settings that all images of a call share.
io::DetectionReport report_of(const DetectOptions& o, const detect::LocalMaxima& peaks,
                              const data::Normalization& rule) {
  io::DetectionReport report;
  report.model = fs::path(o.model).filename().string();
  report.model_hash = io::content_hash_of(o.model);
  report.normalization = data::name_of(rule);
  report.threshold = o.thresholds.components ? static_cast<float>(*o.thresholds.components) : peaks.threshold();
  report.xi = o.thresholds.components ? 0 : peaks.relative;
  report.full_scale = peaks.full_scale, report.tile = o.tile, report.average = o.average;
  return report;
}

/// By what results are known again: everything that they depend on, what computes among it. Throws IoError.
ResultKey key_of(const DetectOptions& o, const Input& input, const io::DetectionReport& settings) {
  const std::string content = input_hash(o, input);
  ContentHash hash;
  hash.add(NUCDET_VERSION_STRING), hash.add(settings.model_hash), hash.add(content);
  const auto areas = areas_file(o, input);
  hash.add(areas ? io::content_hash_of(*areas) : std::string());
  const io::ManifestEntry& e = input.entry;
  hash.add(o.pixel_size.mpp.value_or(e.mpp.value_or(0))), hash.add(o.pixel_size.scale.value_or(e.scale.value_or(0)));
  hash.add(static_cast<double>(settings.threshold)), hash.add(settings.xi),
      hash.add(o.thresholds.components.value_or(0));
  for (const Index number : {settings.tile, Index{o.average}, Index{o.device.exact}, o.page.value_or(0)})
    hash.add(static_cast<double>(number));
  for (const Index number : o.region) hash.add(static_cast<double>(number));
  for (const double number : o.offset) hash.add(number);
  hash.add(o.tissue.empty() || o.tissue == "auto" || o.tissue == "all" ? o.tissue : io::content_hash_of(o.tissue));
  hash.add(static_cast<double>(o.ids)), hash.add(choose_device(o.device).line);
  return {content, hash.text()};
}

template <class Device>
detect::Detection found_in(const detect::Detector<Device>& detector, const DetectOptions& o,
                           const detect::LocalMaxima& peaks, const io::Picture& picture, double scale,
                           const Rectangle& read, const Watch& watch) {
  const data::ImageView view = picture.view().part(read.y, read.x, read.height, read.width);
  detect::Detection found = o.thresholds.components ? detector.detect(data::to_image(detector.context().host(), view),
                                                                      scale, regions_of(o.thresholds, peaks), watch)
                                                    : detector.detect(view, scale, watch);
  for (Nucleus& n : found.nuclei) {
    n.centre.x += static_cast<double>(read.x), n.centre.y += static_cast<double>(read.y);
  }
  return found;
}

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

void guard_results(OutputGuard& guard, const DetectOptions& o, const Input& input) {
  for (const fs::path& file : result_files(o, input)) guard.output(file, product_of_result(file));
  if (input.slide) guard.own_output(input.result(o.out, ".journal"));
}

/// The results of images that are looked at, in place of what is there.
struct Job {
  std::size_t number;  ///< of the image
  ResultKey key;
  bool again = false;  ///< it was left to another process before
};

/// What became of a job.
enum class Outcome { done, failed, left, put_off };

/// Once more, right before they are written: others may have written there while the network was at work.
void check_results(const DetectOptions& o, const Input& input) {
  OutputGuard guard(o.overwrite);
  guard_results(guard, o, input);
}

/// One call of the command.
template <class Device>
class Run {
 public:
  Run(Context<Device>& context, const DetectOptions& o, const std::vector<Input>& inputs, const Shard& shard,
      Interrupt& interrupt)
      : o_(o),
        inputs_(inputs),
        interrupt_(interrupt),
        alone_(inputs.size() == 1 && shard.whole()),
        pictures_(o, inputs),
        loaded_(models::load_model(context, o.model, o.thresholds.replaced)),
        detector_(fitting_detector()),
        settings_(report_of(o, loaded_.peaks, loaded_.normalization)),
        recorder_(o, shard, ClassNames(detector_.classes()).all()) {
    settings_.tile = detector_.tiles().cell;
    settings_.classes = ClassNames(detector_.classes());
    loaded_.model.reset();  // the detector has weights of its own
  }

  int operator()();

 private:
  /// With the tiles that were asked for, or smaller ones.
  detect::Detector<Device> fitting_detector() const {
    const auto with_tile = [&](Index tile) {
      return detect::Detector<Device>(*loaded_.model, loaded_.peaks, loaded_.normalization, {.cell = tile},
                                      {.over = o_.average});
    };
    return detector_within<Device>(o_, with_tile(o_.tile), with_tile);
  }
  /// What was looked at: pixels that count, how results are drawn, what is to be done once they are written.
  struct Looked {
    double counted_pixels = 0;
    ResultDrawings drawings{};
    std::function<void()> written{};
  };
  Looked look_at_picture(const Job& job, const io::Picture& picture, io::DetectionReport& report, const Watch& watch);
  Looked look_at_slide(const Job& job, io::DetectionReport& report, const Watch& watch);
  io::SummaryRow finish(const Job& job, const Looked& looked, io::DetectionReport& report,
                        std::chrono::steady_clock::time_point begin);
  std::vector<Job> jobs();
  /// What may be read while the k-th is looked at.
  std::optional<std::size_t> next_picture(const std::vector<Job>& todo, std::size_t k) const {
    if (k + 1 == todo.size() || inputs_[todo[k + 1].number].slide) return std::nullopt;
    return todo[k + 1].number;
  }
  io::SummaryRow detect_in(const Job& job, std::optional<std::size_t> next, const Watch& watch);
  bool attempt(const Job& job, std::optional<std::size_t> next, const Watch& watch);
  Outcome work_on(std::vector<Job>& todo, std::size_t k, const Watch& watch);
  void say_how(const io::Picture& picture, const models::Scaling& scaling);
  void write_summary() const {
    if (o_.summary.empty()) return;
    OutputGuard().output(o_.summary, io::Product::counts);  // it may have been made meanwhile
    io::write_summary_csv(o_.summary, summary_, settings_.classes);
  }

  const DetectOptions& o_;
  const std::vector<Input>& inputs_;
  Interrupt& interrupt_;
  bool alone_;  ///< one image, whose failure is the call's
  PicturesAhead pictures_;
  models::LoadedModel<Device> loaded_;
  detect::Detector<Device> detector_;
  io::DetectionReport settings_;
  RunRecorder recorder_;
  models::PixelSizes sizes_{};
  std::vector<io::SummaryRow> summary_{};
};

/// What there is to know of how an image is looked at: each pixel size once, and what reading it had to decide.
template <class Device>
void Run<Device>::say_how(const io::Picture& picture, const models::Scaling& scaling) {
  if (o_.quiet) return;
  for (const std::string& one : picture.notes) note(message(picture.where, ": ", one));
  if (const std::string line = sizes_.line(scaling); !line.empty()) note(line);
  if (!data::looks_like_he(picture.view()))
    note(message(picture.where,
                 ": does not look like H&E (next to nothing in it is pink or purple): what is found in it "
                 "may mean nothing"));
}

template <class Device>
typename Run<Device>::Looked Run<Device>::look_at_picture(const Job& job, const io::Picture& picture,
                                                          io::DetectionReport& report, const Watch& watch) {
  const Input& input = inputs_[job.number];
  models::check_size(input.entry, picture);
  const models::Scaling scaling = models::scaling_of(o_.pixel_size, input.entry, picture);
  say_how(picture, scaling);
  const Part part = part_of(o_, picture, detector_.tiles(), scaling.scale);
  Counted counted{part.core, {}};
  if (const auto file = areas_file(o_, input)) counted.areas = areas_in(*file);
  detect::Detection found = found_in(detector_, o_, loaded_.peaks, picture, scaling.scale, part.read, watch);
  std::erase_if(found.nuclei, [&](const Nucleus& n) { return !counted(n.centre); });
  report.width = picture.width, report.height = picture.height;
  report.scale = scaling.scale, report.pixel_size = scaling.pixel_size;
  report.statistics = std::move(found.statistics), report.nuclei = std::move(found.nuclei);
  return {counted.pixels(), drawings_on(picture)};
}

template <class Device>
typename Run<Device>::Looked Run<Device>::look_at_slide(const Job& job, io::DetectionReport& report,
                                                        const Watch& watch) {
  const Input& input = inputs_[job.number];
  const auto work = std::make_shared<const SlideWork>(slide_work(o_, input));
  if (const std::string line = sizes_.line(work->scaling); !line.empty() && !o_.quiet) note(line);
  const auto* constants = std::get_if<data::FixedNormalization>(&loaded_.normalization);
  report.statistics = constants ? constants->statistics
                                : detector_.statistics(view_of(low_level(detector_.context().host(), work->slide)));
  const auto journal = std::make_shared<slide::Journal>(input.result(o_.out, ".journal"), job.key.results);
  if (!journal->tiles().empty() && !o_.quiet)
    note(message(work->slide.where(), ": goes on after ", journal->tiles().size(), " tiles"));
  detect_remaining(detector_, *work, report.statistics, *journal, {static_cast<std::size_t>(o_.ahead)}, interrupt_,
                   watch);
  report.width = work->slide.width(), report.height = work->slide.height();
  report.scale = work->scaling.scale, report.pixel_size = work->scaling.pixel_size;
  report.nuclei = detector_.relative(journal->read());
  for (Nucleus& n : report.nuclei) n.score = loaded_.peaks.score(n.score);
  return {work->counted_pixels(), drawings_on(work), [journal] { journal->remove(); }};
}

template <class Device>
io::SummaryRow Run<Device>::detect_in(const Job& job, std::optional<std::size_t> next, const Watch& watch) {
  const Input& input = inputs_[job.number];
  const auto begin = std::chrono::steady_clock::now();
  io::DetectionReport report = settings_;
  report.image = input.entry.image.filename().string();
  report.key = job.key.results;
  if (input.slide) return finish(job, look_at_slide(job, report, watch), report, begin);
  const io::Picture picture = pictures_.read(job.number, next);
  return finish(job, look_at_picture(job, picture, report, watch), report, begin);
}

template <class Device>
io::SummaryRow Run<Device>::finish(const Job& job, const Looked& looked, io::DetectionReport& report,
                                   std::chrono::steady_clock::time_point begin) {
  const Input& input = inputs_[job.number];
  if (report.pixel_size.known())
    report.area_mm2 = looked.counted_pixels * report.pixel_size.x * report.pixel_size.y * 1e-6;
  check_results(o_, input);
  write_results(o_, input, looked.drawings, report);
  if (looked.written) looked.written();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const fs::path result = input.result(o_.out, ".csv");
  if (o_.json)
    print_json({{"image", input.entry.image.string()},
                {"result", result.string()},
                {"nuclei", report.nuclei.size()},
                {"scale", report.scale}});
  else
    std::cout << printable(result.string()) << '\t' << report.nuclei.size() << '\n';
  return summary_of(input, report, seconds);
}

/// With --skip-existing: those whose results are not there. A cohort goes on around what somebody has corrected in it.
template <class Device>
std::vector<Job> Run<Device>::jobs() {
  std::vector<Job> todo;
  std::size_t done = 0, corrected = 0;
  OutputGuard guard(o_.overwrite);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    ResultKey key;
    try {
      key = key_of(o_, input, settings_);
    } catch (const IoError&) {}  // an image that cannot be read is named in its turn
    const bool is_there = o_.skip_existing && is_done(o_, input, key.results);
    const bool kept = o_.skip_existing && !o_.overwrite && !is_there && is_worked_on(o_, input);
    done += is_there ? 1 : 0, corrected += kept ? 1 : 0;
    if (is_there || kept) {
      recorder_.skipped(input, key, kept);
      continue;
    }
    if (o_.skip_existing) guard_results(guard, o_, input);  // of all others it was done before
    todo.push_back({i, std::move(key)});
  }
  if (done > 0 && !o_.quiet) note(message(done, " of ", inputs_.size(), " images have their results already"));
  if (corrected > 0)
    note(message(corrected, " of ", inputs_.size(), " images keep results that somebody has worked on"));
  return todo;
}

/// Looks at an image, unless another process does or has done so meanwhile: false if it must be tried again.
template <class Device>
bool Run<Device>::attempt(const Job& job, std::optional<std::size_t> next, const Watch& watch) {
  const Input& input = inputs_[job.number];
  const std::optional<io::FileLock> lock = lock_results(o_, input);
  if (!lock) return false;
  if (o_.skip_existing && is_done(o_, input, job.key.results)) {
    recorder_.skipped(input, job.key);
    return true;
  }
  io::SummaryRow row = detect_in(job, next, watch);
  recorder_.done(input, job.key, row);
  if (!o_.summary.empty()) summary_.push_back(std::move(row));
  return true;
}

/// What becomes of the k-th. One that another process works on comes once more at the end: that one may be killed
/// before it is done.
template <class Device>
Outcome Run<Device>::work_on(std::vector<Job>& todo, std::size_t k, const Watch& watch) {
  const Job job = todo[k];
  const fs::path& image = inputs_[job.number].entry.image;
  recorder_.begin();
  try {
    if (attempt(job, next_picture(todo, k), watch)) return Outcome::done;
    if (alone_) throw IoError(message(image.string(), ": another run of nucdet works on it: wait for its end"));
  } catch (...) {
    const std::optional<std::string> failure = failure_of(std::current_exception(), image);
    if (!failure) throw;
    recorder_.failed(inputs_[job.number], job.key, *failure);
    if (alone_) throw;
    complain(*failure);
    return Outcome::failed;
  }
  note(message(image.string(), ": another run of nucdet works on it, and it is left to that one"));
  if (job.again) return Outcome::left;
  todo.push_back({job.number, job.key, true});
  return Outcome::put_off;
}

template <class Device>
int Run<Device>::operator()() {
  std::vector<Job> todo = jobs();
  ImageProgress progress(static_cast<std::int64_t>(todo.size()), o_.quiet);
  const Watch watch{.stop = interrupt_.token(), .progress = [&](Index done, Index all) {
                      interrupt_.poll();
                      progress.tiles(done, all);
                    }};
  std::size_t failed = 0, left = 0;
  for (std::size_t k = 0; k < todo.size(); ++k) {
    interrupt_.poll();
    if (watch.stop.stop_requested()) throw Stopped(message("stopped after ", k, " of ", todo.size(), " images"));
    if (interrupt_.finish_requested()) {
      complain(message("stopped on request after ", k, " of ", todo.size(), " images"));
      write_summary();
      return kFinishedEarly;
    }
    progress.begin(inputs_[todo[k].number].entry.image.filename().string());
    Outcome outcome = Outcome::done;
    try {
      outcome = work_on(todo, k, watch);
    } catch (const Paused& paused) {
      complain(paused.what());
      write_summary();
      return kFinishedEarly;
    }
    failed += outcome == Outcome::failed ? 1 : 0, left += outcome == Outcome::left ? 1 : 0;
    if (outcome == Outcome::done || outcome == Outcome::failed) progress.end();
    if (o_.most_errors && failed > *o_.most_errors) {
      complain(message("ended after ", k + 1, " of ", todo.size(), " images: ", failed, " have failed (--max-errors ",
                       *o_.most_errors, ")"));
      break;
    }
  }
  interrupt_.poll();
  if (watch.stop.stop_requested()) throw Stopped("stopped after the last image");
  write_summary();
  if (left > 0) note(message(left, " images were left to other runs of nucdet"));
  return failed > 0 ? kSomeInputsFailed : kDone;
}

void check(const DetectOptions& o) {
  models::check(o.pixel_size);
  if (!o.summary.empty() && o.skip_existing)
    throw ArgumentError(
        "--summary is of all images, --skip-existing passes over some: give one of them (of what --report "
        "tells, `nucdet merge` makes a summary)");
  if (!o.offset.empty() && !o.geojson && !o.store)
    throw ArgumentError("--offset is for GeoJSON and the store: give --geojson or --store");
}

void check_files(const DetectOptions& o, const std::vector<Input>& inputs) {
  OutputGuard guard(o.overwrite);
  guard.input(o.model), guard.input(o.areas);
  if (o.tissue != "auto" && o.tissue != "all") guard.input(o.tissue);
  for (const std::string& given : o.inputs) guard.input(file_given(given));
  for (const Input& i : inputs) guard.input(i.entry.image), guard.input(i.entry.annotations);
  guard.folder(o.out);
  for (const Input& i : inputs) {
    if (!o.skip_existing) guard_results(guard, o, i);
    // Else what is there may be done: it is looked at when the results to make are known.
    for (const fs::path& file : result_files(o, i))
      if (o.skip_existing) guard.own_output(file);
  }
  if (!o.summary.empty()) guard.output(o.summary, io::Product::counts);
  std::error_code none;
  if (fs::is_empty(o.report, none))
    guard.own_output(o.report);  // of a run that was killed early
  else
    guard.output(o.report, io::Product::log);
}

/// Leaves the images of this call's shard, which may be none.
Shard take_shard(const DetectOptions& o, std::vector<Input>& inputs) {
  const Shard shard = shard_of(o, inputs.size());
  if (!shard.whole() && !o.summary.empty())
    throw ArgumentError(message("--summary is of all images, shard ", shard.text(),
                                " is a part of them: give --report, and `nucdet merge` makes the summary"));
  const std::size_t all = inputs.size();
  keep_shard(inputs, shard);
  if (!shard.whole() && !o.quiet) note(message("shard ", shard.text(), ": ", inputs.size(), " of ", all, " images"));
  return shard;
}

}  // namespace

int detect(const DetectOptions& asked) {
  DetectOptions o = asked;
  check(o);
  Interrupt interrupt(Interrupt::Ending::after_piece);
  if (o.model.empty()) o.model = default_model();
  std::vector<std::string> notes;
  std::vector<Input> inputs = inputs_of(o.inputs, o.split, o.recursive, &notes);
  if (!o.quiet)
    for (const std::string& one : notes) note(one);
  if (!o.region.empty() && inputs.size() > 1)
    throw ArgumentError(message("--region is for one image, and these are ", inputs.size()));
  for (Input& i : inputs) i.slide = !o.page && slide::is_slide(i.entry.image);
  const Shard shard = take_shard(o, inputs);
  check_files(o, inputs);
  if (inputs.empty()) return kDone;
  for (const Input& i : inputs) io::make_folder(i.result(o.out, "").parent_path());
  if (!o.report.empty()) io::make_folder(fs::absolute(o.report).parent_path());
  return on_device(o.device, {}, o.quiet, [&](auto& context) { return Run(context, o, inputs, shard, interrupt)(); });
}

}  // namespace nucdet::program
