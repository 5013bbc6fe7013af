// Real H&E images with nucleus centres, from the folder NUCDET_DATA (default: shared/data beside the project). Without
// it these tests say that they are skipped; see docs/results.md for where the sets come from.
#include <cstdlib>
#include <iostream>

#include "nucdet/data/dataset.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/score.hpp"

#include "support/catch.hpp"

using namespace nucdet;
namespace fs = std::filesystem;

namespace {

fs::path data_folder() {
  const char* set = std::getenv("NUCDET_DATA");
  return set != nullptr ? fs::path(set) : fs::path(NUCDET_TEST_DIR) / "../../shared/data";
}

/// True, with a loud line for ctest and for people, if the data set is not there.
bool skipped(const fs::path& manifest) {
  if (fs::exists(manifest)) return false;
  std::cout << "SKIPPED: no " << manifest.string() << " (set NUCDET_DATA)\n";
  return true;
}

}  // namespace

TEST_CASE("every image of the real data sets can be read, and every point lies in its image") {
  for (const char* name : {"tiny-he", "monuseg-tiles", "nuinsseg-human23"}) {
    const fs::path manifest = data_folder() / name / "manifest.csv";
    if (skipped(manifest)) continue;
    Context<Cpu> context({.threads = 2});
    const auto entries = io::read_manifest(manifest);
    CHECK(entries.size() > 0);
    std::size_t read = 0;
    for (std::size_t i = 0; i < entries.size(); i += 1 + entries.size() / 25) {  // about 25 of each set
      const io::ManifestEntry& e = entries[i];
      const Image image = io::read_image(e.image);
      const auto points = io::read_points(e.annotations);
      CHECK(static_cast<Index>(image.shape(1)) == e.width);
      CHECK(static_cast<Index>(image.shape(0)) == e.height);
      CHECK(static_cast<Index>(points.size()) == e.nuclei);
      CHECK_NOTHROW(data::make_sample(context, image, points, e.scale, e.image.string(), e.organ));
      ++read;
    }
    CHECK(read > 0);
  }
}

TEST_CASE("a perfect response finds nearly all nuclei of real images: labels, peaks and matching agree") {
  const fs::path manifest = data_folder() / "monuseg-tiles" / "manifest.csv";
  if (skipped(manifest)) return;
  Context<Cpu> context({.threads = 2});
  metrics::Score pooled;
  for (const io::ManifestEntry& e : io::read_manifest(manifest)) {
    if (e.split != "test") continue;
    const auto points = io::read_points(e.annotations);
    std::vector<float> map(static_cast<std::size_t>(e.width * e.height));
    const View<float> view(map.data(), {1, e.height, e.width, 1});
    label::render(context, label::ProximityMap{}, points, view);
    std::vector<Point> found;
    for (const Nucleus& n : detect::find_peaks(context, view, {.radius = 5})) found.push_back(n.centre);
    pooled += metrics::score(match::HungarianMatcher{}, found, points);
  }
  CHECK(pooled.precision() > 0.99);
  CHECK(pooled.recall() > 0.97);  // centres closer than the peak window become one
  CHECK(pooled.distance_mean() < 1.0);
}
