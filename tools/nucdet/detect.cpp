#include <cstdio>
#include <iostream>
#include <set>

#include "nucdet/detect/detector.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/io/overlay.hpp"

#include "commands.hpp"
#include "common.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

/// Images, folders and manifests, as one list.
std::vector<io::ManifestEntry> collect(const DetectOptions& o) {
  std::vector<io::ManifestEntry> all;
  for (const std::string& input : o.inputs) {
    const fs::path path = input;
    if (fs::is_directory(path) || path.extension() == ".csv") {
      for (io::ManifestEntry& e : entries_of(input, o.split)) all.push_back(std::move(e));
    } else {
      io::ManifestEntry entry;
      entry.image = path;
      all.push_back(entry);
    }
  }
  std::set<std::string> stems;
  for (const io::ManifestEntry& e : all)
    if (!stems.insert(e.image.stem().string()).second)
      throw ArgumentError(
          message("two inputs are called '", e.image.stem().string(), "': their results would overwrite each other"));
  return all;
}

void write_results(const DetectOptions& o, const io::ManifestEntry& entry, const Image& image, double scale,
                   const detect::LocalMaxima& peaks, const std::vector<Nucleus>& nuclei) {
  const fs::path stem = fs::path(o.out) / entry.image.stem();
  const auto with = [&](const char* ending) { return fs::path(stem.string() + ending); };
  io::write_points(with(".csv"), std::span<const Nucleus>(nuclei));
  const io::DetectionReport report{entry.image.filename().string(),
                                   static_cast<Index>(image.shape(1)),
                                   static_cast<Index>(image.shape(0)),
                                   scale,
                                   fs::path(o.model).filename().string(),
                                   peaks.relative,
                                   peaks.absolute,
                                   nuclei};
  io::write_detections_json(with(".json"), report);
  if (o.geojson) io::write_geojson(with(".geojson"), report);
  if (o.overlay) {
    std::vector<io::OverlayMark> marks;
    for (const Nucleus& n : nuclei) marks.push_back({n.centre, io::MarkKind::detection, {}});
    io::write_png(with(".overlay.png"), io::draw_overlay(image, marks));
  }
}

}  // namespace

int detect(const DetectOptions& o) {
  const std::vector<io::ManifestEntry> inputs = collect(o);
  fs::create_directories(o.out);
  Context<Cpu> context({.threads = o.threads});
  LoadedModel loaded = load_model(context, o.model);
  if (o.xi >= 0) loaded.peaks.relative = o.xi;
  if (o.floor >= 0) loaded.peaks.absolute = static_cast<float>(o.floor);
  const detect::Detector detector(*loaded.model, loaded.peaks, {.tile = o.tile});
  loaded.model.reset();  // the detector has weights of its own
  int failed = 0;
  std::int64_t done = 0;
  Progress progress("image", static_cast<std::int64_t>(inputs.size()), 0, o.quiet);
  for (const io::ManifestEntry& entry : inputs) {
    try {
      const Image image = io::read_image(entry.image);
      const double scale = o.scale > 0 ? o.scale : entry.scale;
      const std::vector<Nucleus> nuclei = detector(image, scale);
      write_results(o, entry, image, scale, loaded.peaks, nuclei);
      std::cout << (fs::path(o.out) / entry.image.stem()).string() << ".csv\t" << nuclei.size() << '\n';
    } catch (const Error& error) {
      if (inputs.size() == 1) throw;
      std::cerr << "nucdet: " << error.what() << '\n';
      ++failed;
    }
    progress.update(++done, entry.image.filename().string());
  }
  return failed > 0 ? 3 : 0;
}

}  // namespace nucdet::program
