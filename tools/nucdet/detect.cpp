#include <cstdio>
#include <future>
#include <iostream>

#include "nucdet/detect/detector.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/overlay.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/models/load.hpp"

#include "commands.hpp"
#include "default_model.hpp"
#include "device.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "regions.hpp"
#include "results.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

/// Images, folders and manifests, as one list.
std::vector<io::ManifestEntry> collect(const DetectOptions& o) {
  std::vector<io::ManifestEntry> all;
  for (const std::string& input : o.inputs) {
    const fs::path path = input;
    if (fs::is_directory(path) || path.extension() == ".csv") {
      for (io::ManifestEntry& e : models::entries_of(input, o.split)) all.push_back(std::move(e));
    } else {
      io::ManifestEntry entry;
      entry.image = path;
      all.push_back(entry);
    }
  }
  check_names(all);
  return all;
}

/// Annotations are CSV files named after their images too: a file that no earlier detection left is not overwritten.
void check_not_annotations(const DetectOptions& o, const std::vector<io::ManifestEntry>& inputs) {
  for (const io::ManifestEntry& e : inputs) {
    const fs::path stem = fs::path(o.out) / e.image.stem(), csv = stem.string() + ".csv";
    std::error_code none;
    const bool annotations = !e.annotations.empty() && fs::equivalent(csv, e.annotations, none);
    if (fs::exists(csv) && (annotations || !fs::exists(stem.string() + ".json")))
      throw ArgumentError(
          message(csv.string(), " is there and not a result of nucdet: move it away or choose another --out"));
  }
}

/// The settings that all images of a call share.
io::DetectionReport report_of(const DetectOptions& o, const detect::LocalMaxima& peaks,
                              const data::Normalization& rule) {
  io::DetectionReport report;
  report.model = fs::path(o.model).filename().string();
  report.normalization = data::name_of(rule);
  report.threshold = o.thresholds.components ? static_cast<float>(*o.thresholds.components) : peaks.threshold();
  report.xi = o.thresholds.components ? 0 : peaks.relative;
  report.full_scale = peaks.full_scale, report.tile = o.tile, report.average = o.average;
  return report;
}

void write_results(const DetectOptions& o, const io::ManifestEntry& entry, const Image& image, double scale,
                   io::DetectionReport report, detect::Detection found) {
  const fs::path stem = fs::path(o.out) / entry.image.stem();
  const auto with = [&](const char* ending) { return fs::path(stem.string() + ending); };
  report.image = entry.image.filename().string(), report.scale = scale;
  report.width = static_cast<Index>(image.shape(1)), report.height = static_cast<Index>(image.shape(0));
  report.statistics = std::move(found.statistics), report.nuclei = std::move(found.nuclei);
  const std::vector<Nucleus>& nuclei = report.nuclei;
  io::write_detections_json(with(".json"), report);
  io::write_points(with(".csv"), nuclei, report.classes);
  if (o.geojson) io::write_geojson(with(".geojson"), report);
  if (o.overlay) {
    std::vector<io::OverlayMark> marks;
    for (const Nucleus& n : nuclei) marks.push_back({.at = n.centre, .class_id = n.class_id});
    io::write_png(with(".overlay.png"), io::draw_overlay(image, marks, {.classes = report.classes}));
  }
}

/// Reads images in order, one ahead of the one that is worked on: no more than two are in memory.
class ImagesAhead {
 public:
  explicit ImagesAhead(const std::vector<io::ManifestEntry>& entries) : entries_(entries) { read_next(); }

  /// The next image. Throws what reading it threw.
  Image next() {
    std::future<Image> image = std::move(ahead_);
    image.wait();
    read_next();
    return image.get();
  }

 private:
  void read_next() {
    if (begun_ < entries_.size())
      ahead_ = std::async([&path = entries_[begun_++].image] { return io::read_image(path); });
  }

  const std::vector<io::ManifestEntry>& entries_;
  std::size_t begun_ = 0;
  std::future<Image> ahead_;
};

template <class Device>
int detect_on(Context<Device>& context, const DetectOptions& o, const std::vector<io::ManifestEntry>& inputs) {
  models::LoadedModel<Device> loaded = models::load_model(context, o.model, o.thresholds.replaced);
  const detect::Detector detector(*loaded.model, loaded.peaks, loaded.normalization, {.cell = o.tile},
                                  {.over = o.average});
  io::DetectionReport settings = report_of(o, loaded.peaks, loaded.normalization);
  settings.classes = ClassNames(detector.classes());
  loaded.model.reset();  // the detector has weights of its own
  int failed = 0;
  std::int64_t done = 0;
  Interrupt interrupt;
  const Watch watch{.stop = interrupt.token(), .progress = [&](Index, Index) { interrupt.poll(); }};
  Progress progress("image", static_cast<std::int64_t>(inputs.size()), 0, o.quiet);
  ImagesAhead images(inputs);
  for (const io::ManifestEntry& entry : inputs) {
    try {
      const Image image = images.next();
      const double scale = o.scale.value_or(entry.stated_scale());
      detect::Detection found = o.thresholds.components
                                    ? detector.detect(image, scale, regions_of(o.thresholds, loaded.peaks), watch)
                                    : detector.detect(image, scale, watch);
      const std::size_t count = found.nuclei.size();
      write_results(o, entry, image, scale, settings, std::move(found));
      std::cout << (fs::path(o.out) / entry.image.stem()).string() << ".csv\t" << count << '\n';
    } catch (const Stopped&) { throw; } catch (const CudaError&) {
      throw;  // the device, not the image
    } catch (const Error& error) {
      if (inputs.size() == 1) throw;
      std::cerr << "nucdet: " << error.what() << '\n';
      ++failed;
    }
    progress.update(++done, entry.image.filename().string());
  }
  return failed > 0 ? 3 : 0;
}

}  // namespace

int detect(const DetectOptions& asked) {
  DetectOptions o = asked;
  if (o.model.empty()) o.model = default_model();
  const std::vector<io::ManifestEntry> inputs = collect(o);
  check_not_annotations(o, inputs);
  io::make_folder(o.out);
  return on_device(o.device, {}, o.quiet, [&](auto& context) { return detect_on(context, o, inputs); });
}

}  // namespace nucdet::program
