// The C interface beside the C++ library: makes weights for tests, looks at images and slides through both and compares
// every bit, and writes what the C interface found as the program writes it, for test_peers.sh to compare with that.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <span>

#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/models/networks.hpp"
#include "nucdet/slide/detect_slide.hpp"
#include "nucdet/slide/open.hpp"

#include "nucdet.h"

using namespace nucdet;
namespace fs = std::filesystem;

namespace {

using Arguments = std::span<char* const>;

/// A small network with drawn weights and a threshold that lets much pass: WEIGHTS
int make_weights(Arguments a) {
  const models::NetworkChoice small{.name = "micronet-lite", .base = 4};
  Context<Cpu> context({.threads = 1, .seed = 3});
  io::Metadata metadata = models::to_metadata(small);
  metadata.merge(
      io::to_metadata(data::Normalization(data::FixedNormalization{{{0.6f, 0.5f, 0.7f}, {0.2f, 0.25f, 0.2f}}})));
  io::write_peaks({.radius = 3, .absolute = 0.001f}, metadata);
  io::save_weights(a[0], *models::make_network(context, small), metadata);
  return 0;
}

void done(nucdet_status status) {
  if (status != NUCDET_OK) throw Error(message(nucdet_status_name(status), ": ", nucdet_last_error()));
}

/// What the C interface found, as the C++ library has it.
struct Found {
  explicit Found(nucdet_detections* made) : detections(made, nucdet_detections_free) {
    const nucdet_nucleus* const all = nucdet_detections_nuclei(made);
    for (std::size_t i = 0; i < nucdet_detections_count(made); ++i)
      nuclei.push_back({{all[i].x, all[i].y}, all[i].score, all[i].class_id, all[i].class_probability});
  }
  std::unique_ptr<nucdet_detections, decltype(&nucdet_detections_free)> detections;
  std::vector<Nucleus> nuclei{};
};

bool same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Nucleus& n, const Nucleus& m) {
    return n.centre == m.centre && n.score == m.score && n.class_id == m.class_id &&
           n.class_probability == m.class_probability;
  });
}

/// A detector of each kind.
struct Both {
  explicit Both(const char* weights, std::int32_t tile = 0)
      : loaded(models::load_model(context, weights)),
        detector(*loaded.model, loaded.peaks, loaded.normalization,
                 {.cell = tile == 0 ? detect::TileGrid::kAutomatic : tile}) {
    nucdet_detector_options options{};
    options.size = sizeof options, options.device = "cpu", options.tile = tile;
    nucdet_detector* made = nullptr;
    done(nucdet_detector_open(weights, &options, &made));
    c.reset(made);
    for (std::int32_t i = 0; i < nucdet_detector_class_count(made); ++i)
      names.emplace_back(nucdet_detector_class_name(made, i));
    if (names != detector.classes()) throw Error("the names of classes differ");
  }

  Context<Cpu> context{};
  models::LoadedModel<Cpu> loaded;
  detect::Detector<Cpu> detector;
  std::unique_ptr<nucdet_detector, decltype(&nucdet_detector_free)> c{nullptr, nucdet_detector_free};
  std::vector<std::string> names{};
};

void compare(const fs::path& image, const std::vector<Nucleus>& c, const std::vector<Nucleus>& cpp) {
  if (!same(c, cpp))
    throw Error(message(image.string(), ": C finds ", c.size(), " nuclei, C++ ", cpp.size(), ", or others"));
}

/// WEIGHTS UM OUT IMAGE...: OUT/NAME.csv of each; UM 0: not known
int look_at_images(Arguments a) {
  const Both both(a[0]);
  const double um = std::atof(a[1]);
  for (const char* const name : a.subspan(3)) {
    const fs::path file = name;
    const io::Picture picture = io::read_picture(file);
    const data::ImageView view = picture.view();
    nucdet_image image{};
    image.size = sizeof image, image.pixels = view.data, image.um_per_pixel = um;
    image.height = view.height, image.width = view.width, image.channels = static_cast<std::int32_t>(view.channels);
    image.type = view.bytes == 1 ? NUCDET_UINT8 : NUCDET_UINT16;
    nucdet_detections* made = nullptr;
    done(nucdet_detect(both.c.get(), &image, nullptr, nullptr, &made));
    const Found found(made);
    compare(file, found.nuclei, both.detector.detect(view, um == 0 ? 1 : um / 0.25).nuclei);
    io::write_points(fs::path(a[2]) / file.filename().replace_extension(".csv"), found.nuclei, ClassNames(both.names),
                     um == 0 ? io::PixelSize{} : io::PixelSize{um, um, "--mpp"});
  }
  return 0;
}

/// WEIGHTS SLIDE auto|all OUT.csv: in tiles of 512 pixels
int look_at_slide(Arguments a) {
  const Both both(a[0], 512);
  nucdet_slide_options options{};
  options.size = sizeof options, options.everywhere = a[2] == std::string("all") ? 1 : 0;
  std::int64_t told = 0;
  const auto progress = [](void* user, std::int64_t now, std::int64_t) {
    *static_cast<std::int64_t*>(user) = now;
    return 0;
  };
  nucdet_detections* made = nullptr;
  done(nucdet_detect_slide(both.c.get(), a[1], &options, progress, &told, &made));
  const Found found(made);
  const slide::Slide slide = slide::open_slide(a[1]);
  const double um = nucdet_detections_um_per_pixel(made);
  const slide::TissueMask tissue = options.everywhere != 0 ? slide::all_tissue(slide) : slide::find_tissue(slide, um);
  compare(a[1], found.nuclei, slide::detect_slide(both.detector, both.loaded.normalization, slide, um, tissue));
  if (told < 1) throw Error("no progress was told");
  const nucdet_progress cancel = [](void*, std::int64_t now, std::int64_t) { return now == 1 ? 1 : 0; };
  if (nucdet_detect_slide(both.c.get(), a[1], &options, cancel, nullptr, &made) != NUCDET_CANCELLED)
    throw Error("the slide was not cancelled after its first tile");
  io::write_points(a[3], found.nuclei, ClassNames(both.names), slide.pixel_size());
  return 0;
}

/// IMAGE OUT.ppm: for programs that read nothing else
int write_ppm(Arguments a) {
  const io::Picture picture = io::read_picture(a[0]);
  const auto& bytes = std::get<io::Picture::Bytes>(picture.pixels);
  std::ofstream(a[1], std::ios::binary) << "P6\n"
                                        << picture.width << ' ' << picture.height << "\n255\n"
                                        << std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  struct Command {
    std::size_t arguments;
    int (*run)(Arguments);
  };
  const std::map<std::string, Command> commands{{"weights", {1, make_weights}},
                                                {"images", {4, look_at_images}},
                                                {"slide", {4, look_at_slide}},
                                                {"ppm", {2, write_ppm}}};
  const Arguments all(argv, static_cast<std::size_t>(argc));
  const auto command = commands.find(argc > 1 ? argv[1] : "");
  if (command == commands.end() || all.size() < 2 + command->second.arguments) {
    std::cerr << "usage: peer weights|images|slide|ppm ARGUMENTS...\n";
    return 2;
  }
  return command->second.run(all.subspan(2));
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
