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
#include "guard.hpp"
#include "json_output.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

struct Organ {
  const char* name;
  double density, radius;  // of what was asked for; pixels
};
constexpr Organ kOrgans[] = {{"dense", 1.3, 7.5}, {"medium", 1.0, 9}, {"sparse", 0.6, 11}};

io::ManifestEntry entry_of(const SynthOptions& o, int i) {
  const fs::path folder = o.out;
  const Organ& organ = kOrgans[i % 3];
  std::ostringstream name;
  name << organ.name << '_' << std::setw(3) << std::setfill('0') << i;
  io::ManifestEntry entry;
  entry.image = folder / "images" / (name.str() + ".png");
  entry.annotations = folder / "annotations" / (name.str() + ".csv");
  entry.organ = organ.name, entry.source_id = message("synthetic, seed ", o.seed, ", image ", i);
  const int place = i * 4 / o.images;  // the first half trains, then a quarter each
  entry.scale = 1;
  entry.split = place < 2 ? "train" : place == 2 ? "val" : "test";
  entry.width = entry.height = o.size;
  return entry;
}

/// Its files are data for a user, so none may be there yet; but what was stopped on the way, as this file says, is made
/// anew.
fs::path unfinished(const fs::path& folder) { return folder / ".nucdet-synth-unfinished"; }

void check_outputs(const fs::path& folder, const std::vector<io::ManifestEntry>& entries) {
  OutputGuard guard;
  guard.folder(folder / "images"), guard.folder(folder / "annotations");
  if (fs::is_regular_file(fs::symlink_status(unfinished(folder)))) return;
  guard.new_output(unfinished(folder));
  guard.new_output(folder / "manifest.csv");
  for (const io::ManifestEntry& e : entries) guard.new_output(e.image), guard.new_output(e.annotations);
}

}  // namespace

int synth(const SynthOptions& o) {
  const fs::path folder = o.out, manifest = folder / "manifest.csv";
  std::vector<io::ManifestEntry> entries;
  for (int i = 0; i < o.images; ++i) entries.push_back(entry_of(o, i));
  check_outputs(folder, entries);
  io::make_folder(folder / "images");
  io::make_folder(folder / "annotations");
  io::write_atomically(unfinished(folder), "");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Organ& organ = kOrgans[i % 3];
    const data::SyntheticImage made = data::synthesize({.height = o.size,
                                                        .width = o.size,
                                                        .density = o.density * organ.density,
                                                        .radius = organ.radius,
                                                        .seed = o.seed * 1'000'003 + static_cast<std::uint64_t>(i)});
    entries[i].nuclei = static_cast<Index>(made.points.size());
    io::write_png(entries[i].image, made.image);
    io::write_points(entries[i].annotations, std::span<const Point>(made.points));
  }
  io::write_manifest(manifest, entries);
  fs::remove(unfinished(folder));
  Index nuclei = 0;
  for (const io::ManifestEntry& entry : entries) nuclei += entry.nuclei;
  if (o.json)
    print_json({{"manifest", manifest.string()}, {"images", o.images}, {"nuclei", nuclei}, {"seed", o.seed}});
  else
    std::cout << printable(manifest.string()) << '\n';
  return 0;
}

}  // namespace nucdet::program
