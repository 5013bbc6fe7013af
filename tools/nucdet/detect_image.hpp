#pragma once
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nucdet/data/he_look.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/io/content_hash.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/io/summary_csv.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/slide/open.hpp"

#include "cohort.hpp"
#include "commands.hpp"
#include "detect_part.hpp"
#include "detect_results.hpp"
#include "detect_slide.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "inputs.hpp"
#include "interrupt.hpp"
#include "memory.hpp"
#include "pictures_ahead.hpp"
#include "progress.hpp"
#include "regions.hpp"

/// What `detect` does with one image: look at it, write what was found.
namespace nucdet::program {

/// The settings that all images of a call share. model_hash: of the weights' file.
io::DetectionReport report_of(const DetectOptions& options, std::string model_hash, const detect::LocalMaxima& peaks,
                              const data::Normalization& rule);

/// Tells the guard what is to be written of an image.
void guard_results(OutputGuard& guard, const DetectOptions& options, const Input& input);

/// What was looked at: pixels that count, how results are drawn, what is to be done once they are written.
struct Looked {
  double counted_pixels = 0;
  ResultDrawings drawings{};
  std::function<void()> written{};
};

/// Writes the results and prints a line on them; the table's row. Throws IoError.
io::SummaryRow finish(const DetectOptions& options, const Input& input, const Looked& looked,
                      io::DetectionReport& report, std::chrono::steady_clock::time_point begin);

/// What lies within a part of a picture, and may lie elsewhere.
template <class Device>
detect::Detection found_in(const detect::Detector<Device>& detector, const DetectOptions& o,
                           const detect::LocalMaxima& peaks, const io::Picture& picture, double scale,
                           const detect::Rectangle& within, const Watch& watch) {
  if (!o.thresholds.components) return detector.detect(picture.view(), within, scale, watch);
  const Image image = data::to_image(detector.context().host(), picture.view());
  return detector.detect(image, scale, regions_of(o.thresholds, peaks), watch);
}

/// Finds nuclei in the images of a call, one at a time.
template <class Device>
class ImageDetector {
 public:
  /// device: what results say of what computes.
  ImageDetector(Context<Device>& context, const std::string& device, const DetectOptions& o,
                const std::vector<Input>& inputs, const Interrupt& interrupt)
      : o_(o),
        inputs_(inputs),
        interrupt_(interrupt),
        pictures_(o, inputs),
        model_hash_(std::async(kAside, [file = o.model] { return io::content_hash_of(file); })),
        loaded_(models::load_model(context, o.model, o.thresholds.replaced)),
        detector_(fitting_detector()),
        settings_(report_of(o, model_hash_.get(), loaded_.peaks, loaded_.normalization)) {
    settings_.device = device, settings_.tile = detector_.tiles().cell;
    settings_.classes = ClassNames(detector_.classes());
    loaded_.model.reset();  // the detector has weights of its own
  }

  /// What all reports begin with.
  const io::DetectionReport& settings() const { return settings_; }
  /// Looks at the image of that number and writes its results. next: the picture that may be read meanwhile.
  io::SummaryRow operator()(std::size_t number, const ResultKey& key, std::optional<std::size_t> next,
                            const ImageWatch& watch);

 private:
  /// With the tiles that were asked for, or smaller ones.
  detect::Detector<Device> fitting_detector() const {
    const auto with_tile = [&](Index tile) {
      return detect::Detector<Device>(*loaded_.model, loaded_.peaks, loaded_.normalization, {.cell = tile},
                                      {.over = o_.average});
    };
    return detector_within<Device>(o_, with_tile(o_.tile), with_tile);
  }
  Looked look_at_picture(const Input& input, const io::Picture& picture, io::DetectionReport& report,
                         const Watch& watch);
  Looked look_at_slide(const Input& input, const std::string& journal_key, io::DetectionReport& report,
                       const ImageWatch& watch);
  /// For reading a slide as a whole, to find its tissue or to draw it: ends in order, as after a tile. `watch` must
  /// outlive it.
  Watch reading(const std::filesystem::path& slide, const ImageWatch& watch) const {
    return {.stop = watch.stop, .progress = [this, slide, &watch](Index, Index) {
              if (watch.poll) watch.poll();
              if (interrupt_.finish_requested() && !watch.stop.stop_requested())
                throw Paused(message(slide.string(), ": stopped on request; the same call goes on from there"));
            }};
  }
  void say_how(const io::Picture& picture, const models::Scaling& scaling);

  const DetectOptions& o_;
  const std::vector<Input>& inputs_;
  const Interrupt& interrupt_;
  PicturesAhead pictures_;
  std::future<std::string> model_hash_;  ///< of the weights' file, taken while they are loaded; `settings_` has it
  models::LoadedModel<Device> loaded_;
  detect::Detector<Device> detector_;
  io::DetectionReport settings_;
  models::PixelSizes sizes_{};
};

/// What there is to know of how an image is looked at: each pixel size once, and what reading it had to decide.
template <class Device>
void ImageDetector<Device>::say_how(const io::Picture& picture, const models::Scaling& scaling) {
  if (o_.quiet) return;
  for (const std::string& one : picture.notes) note(message(picture.where, ": ", one));
  if (const std::string line = sizes_.line(scaling); !line.empty()) note(line);
  if (!data::looks_like_he(picture.view()))
    note(message(picture.where,
                 ": does not look like H&E (next to nothing in it is pink or purple): what is found in it "
                 "may mean nothing"));
}

template <class Device>
Looked ImageDetector<Device>::look_at_picture(const Input& input, const io::Picture& picture,
                                              io::DetectionReport& report, const Watch& watch) {
  models::check_size(input.entry, picture);
  const models::Scaling scaling = models::scaling_of(o_.pixel_size, input.entry, picture);
  say_how(picture, scaling);
  Counted counted{region_of(o_, picture.where, picture.width, picture.height), {}};
  if (const auto file = areas_file(o_.areas, input)) counted.areas = AreasIndex(areas_in(*file));
  detect::Detection found = found_in(detector_, o_, loaded_.peaks, picture, scaling.scale, counted.core, watch);
  std::erase_if(found.nuclei, [&](const Nucleus& n) { return !counted(n.centre); });
  report.width = picture.width, report.height = picture.height;
  report.scale = scaling.scale, report.pixel_size = scaling.pixel_size;
  report.statistics = std::move(found.statistics), report.nuclei = std::move(found.nuclei);
  return {counted.pixels(), drawings_on(picture)};
}

template <class Device>
Looked ImageDetector<Device>::look_at_slide(const Input& input, const std::string& journal_key,
                                            io::DetectionReport& report, const ImageWatch& watch) {
  const Watch whole = reading(input.entry.image, watch);
  const auto work =
      std::make_shared<const SlideWork>(slide_work(o_, input, slide::open_slide(input.entry.image), whole));
  if (const std::string line = sizes_.line(work->scaling); !line.empty() && !o_.quiet) note(line);
  report.statistics = slide::statistics_for(detector_, loaded_.normalization, work->slide, whole);
  const auto journal = std::make_shared<slide::Journal>(input.result(o_.out, ".journal"), journal_key);
  if (!journal->tiles().empty() && !o_.quiet)
    note(message(work->slide.where(), ": goes on after ", journal->tiles().size(), " tiles"));
  detect_remaining(detector_, *work, report.statistics, *journal, static_cast<std::size_t>(o_.ahead), interrupt_,
                   watch);
  report.width = work->frame.width, report.height = work->frame.height;
  if (o_.origin != "level0") report.origin = {o_.origin, work->frame.x, work->frame.y};
  report.scale = work->scaling.scale, report.pixel_size = work->scaling.pixel_size;
  report.nuclei = detector_.relative(journal->read());
  for (Nucleus& n : report.nuclei) n.centre = work->in_frame(n.centre), n.score = loaded_.peaks.score(n.score);
  return {work->counted_pixels(), drawings_on(work, whole), [journal] { journal->remove(); }};
}

template <class Device>
io::SummaryRow ImageDetector<Device>::operator()(std::size_t number, const ResultKey& key,
                                                 std::optional<std::size_t> next, const ImageWatch& watch) {
  const Input& input = inputs_[number];
  const auto begin = std::chrono::steady_clock::now();
  io::DetectionReport report = settings_;
  report.image = input.entry.image.filename().string();
  report.key = key.results;
  if (input.slide) return finish(o_, input, look_at_slide(input, key.journal, report, watch), report, begin);
  const io::Picture picture = pictures_.read(number, next);
  return finish(o_, input, look_at_picture(input, picture, report, watch), report, begin);
}

}  // namespace nucdet::program
