// Real H&E images with nucleus centres, from the folder NUCDET_DATA (default: shared/data beside the project): what the
// manifests promise, that points and pixels share their coordinates, and that labels, peaks and matching agree.
// docs/results.md says where the sets come from.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include "nucdet/data/dataset.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render.hpp"
#include "nucdet/label/render_classes.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/score.hpp"

#include "support/catch.hpp"

using namespace nucdet;
namespace fs = std::filesystem;

namespace {

fs::path data_folder() {
  const char* named = std::getenv("NUCDET_DATA");
  return named != nullptr ? fs::path(named) : fs::path(NUCDET_TEST_DIR) / "../../shared/data";
}

/// The manifest of a data set, or nothing, said aloud: ctest looks for the word.
std::vector<io::ManifestEntry> manifest(const std::string& name) {
  const fs::path path = data_folder() / name / "manifest.csv";
  if (fs::exists(path)) return io::read_manifest(path);
  std::cout << "SKIPPED: no " << path.string() << " (set NUCDET_DATA)\n";
  return {};
}

}  // namespace

TEST_CASE("real data: every manifest's counts are right and every point lies in its image") {
  const std::map<std::string, std::size_t> images{{"tiny-he", 10}, {"nuinsseg-human23", 267}, {"monuseg-tiles", 52}};
  for (const auto& [name, count] : images) {
    const auto entries = manifest(name);
    if (entries.empty()) continue;
    INFO(name);
    CHECK(entries.size() == count);
    std::map<std::string, int> splits;
    for (const io::ManifestEntry& e : entries) {
      ++splits[e.split];
      const auto points = io::read_points(e.annotations);
      INFO(e.image);
      CHECK(static_cast<Index>(points.size()) == e.nuclei);
      CHECK_FALSE(e.organ.empty());
      CHECK_NOTHROW(data::check_scale(e.stated_scale()));
      CHECK(std::all_of(points.begin(), points.end(), [&](Point p) {
        return p.x >= 0 && p.y >= 0 && p.x <= static_cast<double>(e.width - 1) &&
               p.y <= static_cast<double>(e.height - 1);
      }));
    }
    for (const char* split : {"train", "val", "test"}) CHECK(splits[split] > 0);
    CHECK(splits.size() == 3);
  }
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
  if (images > 0) CHECK(darker >= 0.9 * images);  // swapped or shifted coordinates would be as dark as the rest
}

TEST_CASE("real data: a perfect response finds nearly all nuclei of real images: labels, peaks and matching agree") {
  const auto entries = manifest("monuseg-tiles");
  if (entries.empty()) return;
  Context<Cpu> context({.threads = 2});
  metrics::Score pooled;
  for (const io::ManifestEntry& e : entries) {
    if (e.split != "test") continue;
    const auto points = io::read_points(e.annotations);
    std::vector<float> map(static_cast<std::size_t>(e.width * e.height));
    const View<float> view(map.data(), {1, e.height, e.width, 1});
    label::render(context, label::ProximityMap{}, points, view);
    std::vector<Point> found;
    for (const Nucleus& n : detect::find_peaks(context, view, {.radius = 5, .absolute = 0.2f}))
      found.push_back(n.centre);
    pooled += metrics::score(match::HungarianMatcher{}, found, points);
  }
  CHECK(pooled.precision() > 0.99);
  CHECK(pooled.recall() > 0.97);  // centres closer than the peak window become one
  CHECK(pooled.distance_mean() < 1.0);
}

TEST_CASE("real data: BRCA-M2C's classes are read by name, and a class map has them at their centres") {
  const auto entries = manifest("brca-m2c");
  if (entries.empty()) return;
  std::vector<fs::path> files;
  for (const io::ManifestEntry& e : entries) files.push_back(e.annotations);
  const ClassNames names = io::read_class_names(files);
  REQUIRE(names == ClassNames({"lymphocyte", "stroma", "tumour"}));
  Context<Cpu> context({.threads = 2});
  std::map<std::string, std::array<int, 3>> counts;
  std::size_t agree = 0, all = 0;
  for (const io::ManifestEntry& e : entries) {
    const AnnotatedPoints nuclei = io::numbered(io::read_annotations(e.annotations), names);
    REQUIRE(nuclei.classes.size() == nuclei.points.size());
    for (const int c : nuclei.classes) ++counts[e.split].at(static_cast<std::size_t>(c));
    if (e.split != "val") continue;
    const auto sample = data::make_sample(context, io::read_image(e.image), nuclei.points, e.stated_scale(), "", "", {},
                                          nuclei.classes);
    const View<const float> image = view_of(sample.image);
    std::vector<float> map(static_cast<std::size_t>(image.shape.h * image.shape.w));
    const AnnotatedPoints scaled{sample.points, sample.classes};
    label::render_batch(context, label::ClassDisc{}, std::span(&scaled, 1),
                        View<float>(map.data(), {1, image.shape.h, image.shape.w, 1}));
    for (std::size_t i = 0; i < scaled.points.size(); ++i) {
      const Index x = std::clamp<Index>(std::llround(scaled.points[i].x), 0, image.shape.w - 1),
                  y = std::clamp<Index>(std::llround(scaled.points[i].y), 0, image.shape.h - 1);
      agree +=
          map[static_cast<std::size_t>(y * image.shape.w + x)] == static_cast<float>(scaled.classes[i] + 1) ? 1 : 0;
      ++all;
    }
  }
  CHECK(counts["train"] == std::array{2974, 4710, 8930});
  CHECK(counts["val"] == std::array{1358, 1042, 733});
  CHECK(static_cast<double>(agree) > 0.99 * static_cast<double>(all));  // some dots lie nearly upon each other
}
