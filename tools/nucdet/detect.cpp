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

/// By what results are known again: everything that they depend on, what computes among it.
std::string key_of(const DetectOptions& o, const Input& input, const io::DetectionReport& settings) {
  ContentHash hash;
  hash.add(NUCDET_VERSION_STRING), hash.add(settings.model_hash), hash.add(io::content_hash_of(input.entry.image));
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
  return hash.text();
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

io::SummaryRow summary_of(const Input& input, const io::DetectionReport& report, double counted_pixels,
                          double seconds) {
  io::SummaryRow row{
      .image = input.name.generic_string(),
      .width = report.width,
      .height = report.height,
      .pixel_size = report.pixel_size,
      .area_mm2 = counted_pixels * report.pixel_size.x * report.pixel_size.y * 1e-6,
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

/// Once more, right before they are written: others may have written there while the network was at work.
void check_results(const DetectOptions& o, const Input& input) {
  OutputGuard guard(o.overwrite);
  guard_results(guard, o, input);
}

/// One call of the command.
template <class Device>
class Run {
 public:
  Run(Context<Device>& context, const DetectOptions& o, const std::vector<Input>& inputs)
      : o_(o),
        inputs_(inputs),
        pictures_(o, inputs),
        loaded_(models::load_model(context, o.model, o.thresholds.replaced)),
        detector_(fitting_detector()),
        settings_(report_of(o, loaded_.peaks, loaded_.normalization)) {
    settings_.tile = detector_.tiles().cell;
    settings_.classes = ClassNames(detector_.classes());
    loaded_.model.reset();  // the detector has weights of its own
  }

  int operator()();

 private:
  /// An image to look at, by its number, and the key of its results.
  struct Job {
    std::size_t number;
    std::string key;
  };
  /// With the tiles that were asked for, or smaller ones.
  detect::Detector<Device> fitting_detector() const {
    const auto with_tile = [&](Index tile) {
      return detect::Detector<Device>(*loaded_.model, loaded_.peaks, loaded_.normalization, {.cell = tile},
                                      {.over = o_.average});
    };
    return detector_within<Device>(o_, with_tile(o_.tile), with_tile);
  }
  std::vector<Job> jobs() const;
  void detect_in(const Job& job, std::optional<std::size_t> next, const Watch& watch);
  /// What was looked at: pixels that count, how results are drawn, what is to be done once they are written.
  struct Looked {
    double counted_pixels = 0;
    ResultDrawings drawings{};
    std::function<void()> written{};
  };
  Looked look_at_picture(const Job& job, const io::Picture& picture, io::DetectionReport& report, const Watch& watch);
  Looked look_at_slide(const Job& job, io::DetectionReport& report, const Watch& watch);
  void finish(const Job& job, const Looked& looked, io::DetectionReport& report, std::chrono::steady_clock::time_point);
  void say_how(const io::Picture& picture, const models::Scaling& scaling);
  void write_summary() const {
    if (o_.summary.empty()) return;
    OutputGuard().output(o_.summary, io::Product::counts);  // it may have been made meanwhile
    io::write_summary_csv(o_.summary, summary_, settings_.classes);
  }

  const DetectOptions& o_;
  const std::vector<Input>& inputs_;
  PicturesAhead pictures_;
  models::LoadedModel<Device> loaded_;
  detect::Detector<Device> detector_;
  io::DetectionReport settings_;
  models::PixelSizes sizes_{};
  std::vector<io::SummaryRow> summary_{};
  const Interrupt* interrupt_ = nullptr;
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
  const auto journal = std::make_shared<slide::Journal>(input.result(o_.out, ".journal"), job.key);
  if (!journal->tiles().empty() && !o_.quiet)
    note(message(work->slide.where(), ": goes on after ", journal->tiles().size(), " tiles"));
  detect_remaining(detector_, *work, report.statistics, *journal, {static_cast<std::size_t>(o_.ahead)}, *interrupt_,
                   watch);
  report.width = work->slide.width(), report.height = work->slide.height();
  report.scale = work->scaling.scale, report.pixel_size = work->scaling.pixel_size;
  report.nuclei = detector_.relative(journal->read());
  for (Nucleus& n : report.nuclei) n.score = loaded_.peaks.score(n.score);
  return {work->counted_pixels(), drawings_on(work), [journal] { journal->remove(); }};
}

template <class Device>
void Run<Device>::detect_in(const Job& job, std::optional<std::size_t> next, const Watch& watch) {
  const Input& input = inputs_[job.number];
  const auto begin = std::chrono::steady_clock::now();
  io::DetectionReport report = settings_;
  report.image = input.entry.image.filename().string();
  report.key = job.key;
  if (input.slide) return finish(job, look_at_slide(job, report, watch), report, begin);
  const io::Picture picture = pictures_.read(job.number, next);
  finish(job, look_at_picture(job, picture, report, watch), report, begin);
}

template <class Device>
void Run<Device>::finish(const Job& job, const Looked& looked, io::DetectionReport& report,
                         std::chrono::steady_clock::time_point begin) {
  const Input& input = inputs_[job.number];
  check_results(o_, input);
  write_results(o_, input, looked.drawings, report);
  if (looked.written) looked.written();
  if (!o_.summary.empty()) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    summary_.push_back(summary_of(input, report, looked.counted_pixels, seconds));
  }
  const fs::path result = input.result(o_.out, ".csv");
  if (o_.json)
    print_json({{"image", input.entry.image.string()},
                {"result", result.string()},
                {"nuclei", report.nuclei.size()},
                {"scale", report.scale}});
  else
    std::cout << printable(result.string()) << '\t' << report.nuclei.size() << '\n';
}

template <class Device>
std::vector<typename Run<Device>::Job> Run<Device>::jobs() const {
  std::vector<Job> todo;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    std::string key;
    try {
      key = key_of(o_, inputs_[i], settings_);
    } catch (const IoError&) {}  // an image that cannot be read is named in its turn
    if (!o_.skip_existing || !is_done(o_, inputs_[i], key)) todo.push_back({i, std::move(key)});
  }
  return todo;
}

template <class Device>
int Run<Device>::operator()() {
  const std::vector<Job> todo = jobs();
  if (const std::size_t done = inputs_.size() - todo.size(); done > 0 && !o_.quiet)
    note(message(done, " of ", inputs_.size(), " images have their results already"));
  Interrupt interrupt(Interrupt::Ending::after_piece);
  interrupt_ = &interrupt;
  ImageProgress progress(static_cast<std::int64_t>(todo.size()), o_.quiet);
  const Watch watch{.stop = interrupt.token(), .progress = [&](Index done, Index all) {
                      interrupt.poll();
                      progress.tiles(done, all);
                    }};
  int failed = 0;
  for (std::size_t k = 0; k < todo.size(); ++k) {
    interrupt.poll();
    if (watch.stop.stop_requested()) throw Stopped(message("stopped after ", k, " of ", todo.size(), " images"));
    if (interrupt.finish_requested()) {
      complain(message("stopped on request after ", k, " of ", todo.size(), " images"));
      write_summary();
      return kFinishedEarly;
    }
    const fs::path& image = inputs_[todo[k].number].entry.image;
    progress.begin(image.filename().string());
    try {
      detect_in(
          todo[k],
          k + 1 < todo.size() && !inputs_[todo[k + 1].number].slide ? std::optional(todo[k + 1].number) : std::nullopt,
          watch);
    } catch (const Paused& paused) {
      complain(paused.what());
      write_summary();
      return kFinishedEarly;
    } catch (...) {
      const std::optional<std::string> failure = failure_of(std::current_exception(), image);
      if (!failure || inputs_.size() == 1) throw;
      complain(*failure);
      ++failed;
    }
    progress.end();
  }
  interrupt.poll();
  if (watch.stop.stop_requested()) throw Stopped("stopped after the last image");
  write_summary();
  return failed > 0 ? kSomeInputsFailed : kDone;
}

void check(const DetectOptions& o) {
  models::check(o.pixel_size);
  if (!o.summary.empty() && o.skip_existing)
    throw ArgumentError("--summary is of all images, --skip-existing passes over some: give one of them");
  if (!o.offset.empty() && !o.geojson && !o.store)
    throw ArgumentError("--offset is for GeoJSON and the store: give --geojson or --store");
}

/// A cohort goes on around what somebody has corrected in it.
void leave_corrected(const DetectOptions& o, std::vector<Input>& inputs) {
  const std::size_t all = inputs.size();
  const std::size_t corrected = std::erase_if(inputs, [&](const Input& i) { return is_worked_on(o, i); });
  if (corrected > 0) note(message(corrected, " of ", all, " images keep results that somebody has worked on"));
}

void check_files(const DetectOptions& o, const std::vector<Input>& inputs) {
  OutputGuard guard(o.overwrite);
  guard.input(o.model), guard.input(o.areas);
  if (o.tissue != "auto" && o.tissue != "all") guard.input(o.tissue);
  for (const std::string& given : o.inputs) guard.input(given);
  for (const Input& i : inputs) guard.input(i.entry.image), guard.input(i.entry.annotations);
  guard.folder(o.out);
  for (const Input& i : inputs) guard_results(guard, o, i);
  if (!o.summary.empty()) guard.output(o.summary, io::Product::counts);
}

}  // namespace

int detect(const DetectOptions& asked) {
  DetectOptions o = asked;
  check(o);
  if (o.model.empty()) o.model = default_model();
  std::vector<std::string> notes;
  std::vector<Input> inputs = inputs_of(o.inputs, o.split, o.recursive, &notes);
  if (!o.quiet)
    for (const std::string& one : notes) note(one);
  if (!o.region.empty() && inputs.size() > 1)
    throw ArgumentError(message("--region is for one image, and these are ", inputs.size()));
  for (Input& i : inputs) i.slide = slide::is_slide(i.entry.image);
  if (o.skip_existing && !o.overwrite) leave_corrected(o, inputs);
  check_files(o, inputs);
  for (const Input& i : inputs) io::make_folder(i.result(o.out, "").parent_path());
  return on_device(o.device, {}, o.quiet, [&](auto& context) { return Run(context, o, inputs)(); });
}

}  // namespace nucdet::program
