// Tissue of real slides and images, from the folder NUCDET_DATA (default: shared/data beside the project).
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "nucdet/io/csv.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/tissue.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::slide;
namespace fs = std::filesystem;

namespace {

/// A file of the data sets, or an empty path, said aloud: ctest looks for the word.
fs::path data_file(const std::string& name) {
  const char* named = std::getenv("NUCDET_DATA");
  const fs::path path = (named != nullptr ? fs::path(named) : fs::path(NUCDET_TEST_DIR) / "../../shared/data") / name;
  if (fs::exists(path)) return path;
  std::cout << "SKIPPED: no " << path.string() << " (set NUCDET_DATA)\n";
  return {};
}
Slide picture_slide(const fs::path& path) { return Slide(PicturePyramid(io::read_picture(path))); }
double share_of(const TissueMask& mask, const Slide& slide) {
  return mask.pixels() / (static_cast<double>(slide.width()) * static_cast<double>(slide.height()));
}

}  // namespace

TEST_CASE("real slides: tissue and glass at places that were looked at") {
  if (const fs::path path = data_file("wsi/CMU-1-Small-Region.svs"); !path.empty()) {
    const Slide slide = picture_slide(path);
    const TissueMask mask = find_tissue(slide, 0);
    CHECK(share_of(mask, slide) == Approx(0.43).margin(0.02));
    for (const Point p : {Point{1200, 900}, {1300, 2200}, {500, 1060}, {1650, 2600}, {1350, 1400}})
      CHECK(mask.holds(p));
    for (const Point p : {Point{300, 600}, {1900, 1500}, {300, 2500}, {1350, 480}, {2090, 610}})
      CHECK_FALSE(mask.holds(p));
  }
#ifdef NUCDET_WITH_OPENJPEG
  if (const fs::path path = data_file("wsi/TCGA-CR-7395-01A-01-TS1.svs"); !path.empty()) {
    const Slide slide = picture_slide(path);
    const TissueMask mask = find_tissue(slide, 2);
    CHECK(share_of(mask, slide) == Approx(0.637).margin(0.02));
    for (const Point p : {Point{1000, 1500}, {3200, 300}, {2200, 2500}, {4350, 2300}, {110, 1900}})
      CHECK(mask.holds(p));
    // Glass, white padding, the border of both, a tear.
    for (const Point p : {Point{500, 700}, {1500, 100}, {390, 600}, {2800, 300}, {2820, 2100}})
      CHECK_FALSE(mask.holds(p));
  }
#endif
}

TEST_CASE("real images: hardly an annotated nucleus lies outside of the tissue, also of a faded stain") {
  const fs::path path = data_file("nuinsseg-human23/manifest.csv");
  if (path.empty()) return;
  const std::vector<io::ManifestEntry> entries = io::read_manifest(path);
  Index nuclei = 0, lost = 0, faded_lost = 0;
  for (std::size_t i = 0; i < entries.size(); i += 6) {
    io::Picture picture = io::read_picture(entries[i].image);
    const std::vector<Point> points = io::read_points(entries[i].annotations);
    // These were taken darker than scanners do: glass is at 145.
    auto& bytes = std::get<io::Picture::Bytes>(picture.pixels);
    for (std::uint8_t& v : bytes) v = static_cast<std::uint8_t>(std::min(247.0, 1.7 * v));
    const TissueMask mask = find_tissue(Slide(PicturePyramid(picture)), 0.25);
    for (std::uint8_t& v : bytes) v = static_cast<std::uint8_t>(247 - (247 - v) / 3);
    const TissueMask faded = find_tissue(Slide(PicturePyramid(picture)), 0.25);
    for (const Point p : points) lost += mask.holds(p) ? 0 : 1, faded_lost += faded.holds(p) ? 0 : 1, ++nuclei;
  }
  INFO(lost << " and " << faded_lost << " of " << nuclei);
  CHECK(nuclei > 1500);
  CHECK(lost <= nuclei / 500);
  CHECK(faded_lost <= nuclei / 100);
}
