#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "nucdet/core/printable.hpp"
#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"

#include "commands.hpp"
#include "json_output.hpp"

namespace nucdet::program {

int synth(const SynthOptions& o) {
  namespace fs = std::filesystem;
  const fs::path folder = o.out, manifest = folder / "manifest.csv";
  if (fs::exists(manifest)) throw ArgumentError(message(manifest.string(), " is there already: choose another --out"));
  io::make_folder(folder / "images");
  io::make_folder(folder / "annotations");
  struct Organ {
    const char* name;
    double density, radius;  // of what was asked for; pixels
  };
  constexpr Organ organs[] = {{"dense", 1.3, 7.5}, {"medium", 1.0, 9}, {"sparse", 0.6, 11}};
  std::vector<io::ManifestEntry> entries;
  for (int i = 0; i < o.images; ++i) {
    const Organ& organ = organs[i % 3];
    const data::SyntheticImage made = data::synthesize({.height = o.size,
                                                        .width = o.size,
                                                        .density = o.density * organ.density,
                                                        .radius = organ.radius,
                                                        .seed = o.seed * 1'000'003 + static_cast<std::uint64_t>(i)});
    std::ostringstream name;
    name << organ.name << '_' << std::setw(3) << std::setfill('0') << i;
    io::ManifestEntry entry;
    entry.image = folder / "images" / (name.str() + ".png");
    entry.annotations = folder / "annotations" / (name.str() + ".csv");
    entry.organ = organ.name, entry.source_id = message("synthetic, seed ", o.seed, ", image ", i);
    const int place = i * 4 / o.images;  // the first half trains, then a quarter each
    entry.split = place < 2 ? "train" : place == 2 ? "val" : "test";
    entry.width = entry.height = o.size, entry.nuclei = static_cast<Index>(made.points.size());
    io::write_png(entry.image, made.image);
    io::write_points(entry.annotations, std::span<const Point>(made.points));
    entries.push_back(entry);
  }
  io::write_manifest(manifest, entries);
  Index nuclei = 0;
  for (const io::ManifestEntry& entry : entries) nuclei += entry.nuclei;
  if (o.json)
    print_json({{"manifest", manifest.string()}, {"images", o.images}, {"nuclei", nuclei}, {"seed", o.seed}});
  else
    std::cout << printable(manifest.string()) << '\n';
  return 0;
}

}  // namespace nucdet::program
