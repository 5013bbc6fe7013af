// What the manifests promise of the annotated images, and that points and pixels share their coordinates.
#include <cstdlib>
#include <filesystem>
#include <map>

#include "nucdet/data/dataset.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"

#include "support/catch.hpp"

using namespace nucdet;
namespace fs = std::filesystem;

namespace {

fs::path data_folder() {
  const char* named = std::getenv("NUCDET_DATA");
  return named != nullptr ? fs::path(named) : fs::path(NUCDET_TEST_DIR) / "../../shared/data";
}

/// The manifest of a data set, or nothing, said aloud.
std::vector<io::ManifestEntry> manifest(const std::string& name) {
  const fs::path path = data_folder() / name / "manifest.csv";
  if (fs::exists(path)) return io::read_manifest(path);
  WARN("skipped: no " << path << ": set NUCDET_DATA");
  return {};
}

/// Where no set is there at all, Catch2 3 counts the test as skipped.
void skip_unless([[maybe_unused]] bool some) {
#ifdef SKIP
  if (!some) SKIP("no annotated images in " << data_folder());
#endif
}

}  // namespace

TEST_CASE("real data: every manifest's counts are right and every point lies in its image") {
  const std::map<std::string, std::size_t> images{{"tiny-he", 10}, {"nuinsseg-human23", 267}, {"monuseg-tiles", 52}};
  bool some = false;
  for (const auto& [name, count] : images) {
    const auto entries = manifest(name);
    if (entries.empty()) continue;
    some = true;
    INFO(name);
    CHECK(entries.size() == count);
    std::map<std::string, int> splits;
    for (const io::ManifestEntry& e : entries) {
      ++splits[e.split];
      const auto points = io::read_points(e.annotations);
      INFO(e.image);
      CHECK(static_cast<Index>(points.size()) == e.nuclei);
      CHECK_FALSE(e.organ.empty());
      CHECK_NOTHROW(data::check_scale(e.scale));
      CHECK(std::all_of(points.begin(), points.end(), [&](Point p) {
        return p.x >= 0 && p.y >= 0 && p.x <= static_cast<double>(e.width - 1) &&
               p.y <= static_cast<double>(e.height - 1);
      }));
    }
    for (const char* split : {"train", "val", "test"}) CHECK(splits[split] > 0);
    CHECK(splits.size() == 3);
  }
  skip_unless(some);
}

TEST_CASE("real data: images have the size of the manifest, and nuclei are darker than what is around them") {
  Context<Cpu> context({.threads = 2});
  double darker = 0, images = 0;
  for (const char* name : {"tiny-he", "nuinsseg-human23", "monuseg-tiles"}) {
    const auto entries = manifest(name);
    for (std::size_t i = 0; i < entries.size(); i += entries.size() / 8 + 1) {  // a few of each
      const io::ManifestEntry& e = entries[i];
      INFO(e.image);
      const auto sample = data::make_sample(context, io::read_image(e.image), io::read_points(e.annotations), 1,
                                            e.image.filename().string(), e.organ);
      REQUIRE(view_of(sample.image).shape == Shape{1, e.height, e.width, 3});
      if (sample.points.empty()) continue;
      double red = 0;
      for (const Point& p : sample.points)
        red += static_cast<double>(
            sample.image(static_cast<std::size_t>(std::llround(p.y)), static_cast<std::size_t>(std::llround(p.x)), 0));
      darker += red / static_cast<double>(sample.points.size()) < static_cast<double>(sample.statistics.mean[0]);
      images += 1;
    }
  }
  skip_unless(images > 0);
  if (images > 0) CHECK(darker >= 0.9 * images);  // swapped or shifted coordinates would be as dark as the rest
}
