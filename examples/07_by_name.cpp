/// What the program does, in a host program: train a network that is known by name, detect with its weight file.
///   07_by_name FOLDER
#include <filesystem>
#include <iostream>

#include <nucdet/data/synthetic_tissue.hpp>
#include <nucdet/io/atomic_file.hpp>
#include <nucdet/io/csv.hpp>
#include <nucdet/io/image.hpp>
#include <nucdet/models/load.hpp>
#include <nucdet/models/training.hpp>

using namespace nucdet;
namespace fs = std::filesystem;

/// Images and points files of synthetic tissue, as one would have of one's own.
void write_tissue(const fs::path& folder) {
  io::make_folder(folder);
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto made = data::synthesize({.height = 96, .width = 96, .seed = 100 + i});
    const std::string name = "tissue_" + std::to_string(i);
    io::write_png(folder / (name + ".png"), made.image);
    io::write_points(folder / (name + ".csv"), std::span<const Point>(made.points));
  }
}

int main(int argc, char** argv) try {
  const fs::path folder = argc > 1 ? argv[1] : "07_by_name.out";
  fs::remove_all(folder);
  write_tissue(folder / "tissue");
  Context<Cpu> context({.seed = 1});

  //! [train]
  models::TrainingConfiguration configuration;
  configuration.manifests = {(folder / "tissue").string()};  // or a manifest.csv, with splits and patients
  configuration.out = (folder / "run").string();
  configuration.network = {.name = "micronet-lite", .base = 4};
  configuration.iterations = 60, configuration.validate_every = 20, configuration.crop = 64;
  models::TrainingWatch watch;  // its stop token ends the run in order: resume = true goes on with it
  watch.on_note = [](const std::string& note) { std::cout << note << '\n'; };
  watch.on_validation = [](const train::Validation& found) {
    std::cout << "iteration " << found.iteration << ": F1 " << found.f1 << '\n';
  };
  const train::Validation best = models::train_network(context, configuration, watch);
  //! [train]
  if (best.f1 < 0.1) return 1;

  //! [detect]
  const detect::Detector detector = models::load_detector(context, folder / "run" / "best.safetensors");
  const Image image = io::read_image(folder / "tissue" / "tissue_0.png");
  for (const Nucleus& nucleus : detector(image)) std::cout << nucleus.centre.x << ' ' << nucleus.centre.y << '\n';
  //! [detect]
  return 0;
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
