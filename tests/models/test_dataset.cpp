#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/models/dataset.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::models;
using Catch::Matchers::Contains;

namespace {

/// A grey picture of 40 x 30 pixels with two points.
io::ManifestEntry entry_in(const TemporaryFolder& folder) {
  io::ManifestEntry entry;
  entry.image = folder / "a.png", entry.annotations = folder / "a.csv";
  io::write_png(entry.image, make_image(30, 40, 3, 0.5f));
  io::write_points(entry.annotations, std::vector<Point>{{3, 4}, {20, 25}});
  return entry;
}

io::Picture picture_of(double x, double y) {
  io::Picture picture;
  picture.where = "a.tif", picture.pixel_size = {x, y, "OME PhysicalSizeX"};
  return picture;
}

}  // namespace

TEST_CASE("who says how large a pixel is: the caller, the manifest, the file, nobody") {
  io::ManifestEntry entry;
  CHECK(scaling_of({}, entry, picture_of(0, 0)).scale == 1);
  CHECK_FALSE(scaling_of({}, entry, picture_of(0, 0)).pixel_size.known());
  CHECK(scaling_of({}, entry, picture_of(0.5, 0.5)).scale == 2);
  CHECK(scaling_of({}, entry, picture_of(0.5, 0.5)).pixel_size.source == "OME PhysicalSizeX");
  CHECK(scaling_of({}, entry, picture_of(0.49, 0.51)).scale == Approx(std::sqrt(0.49 * 0.51) / 0.25));
  entry.scale = 4;
  CHECK(scaling_of({}, entry, picture_of(0.5, 0.5)).scale == 4);
  entry.mpp = 0.125;
  CHECK(scaling_of({}, entry, picture_of(0.5, 0.5)).scale == 0.5);
  CHECK(scaling_of({.mpp = 1.0, .scale = {}}, entry, picture_of(0.5, 0.5)).scale == 4);
  CHECK(scaling_of({.mpp = {}, .scale = 3.0}, entry, picture_of(0.5, 0.5)).pixel_size.x == 0.75);
}

TEST_CASE("a pixel size that is no H&E's is a mistake, and the ways to say it are named") {
  for (const auto& [x, y] : {std::pair{2.0, 2.0}, {0.05, 0.05}, {0.25, 0.5}})
    CHECK(error_of<IoError>([x = x, y = y] { scaling_of({}, {}, picture_of(x, y)); }).find("say it by --mpp") !=
          std::string::npos);
  CHECK_THROWS_AS(scaling_of({.mpp = 2.0, .scale = {}}, {}, picture_of(0, 0)), ArgumentError);
  CHECK_THROWS_AS(scaling_of({.mpp = 0.5, .scale = 2.0}, {}, picture_of(0, 0)), ArgumentError);
  CHECK_THROWS_AS(scaling_of({.mpp = {}, .scale = 100.0}, {}, picture_of(0, 0)), ArgumentError);
}

TEST_CASE("each pixel size is said once, and all together in a line") {
  PixelSizes sizes;
  CHECK(sizes.line({2, {0.5, 0.5, "manifest"}}) == "pixel size: 0.5 um (manifest), scaled by 2");
  CHECK(sizes.line({2, {0.5, 0.5, "manifest"}}).empty());
  CHECK_THAT(sizes.line({}), Contains("0.25 um (assumed"));
  CHECK_THAT(sizes.all(), Contains("0.5 um (manifest, 2 images)") && Contains(", 1 image)"));
}

TEST_CASE("a manifest's size and nuclei are compared with the files") {
  const TemporaryFolder folder;
  io::ManifestEntry entry = entry_in(folder);
  entry.width = 40, entry.height = 30, entry.nuclei = 2;
  CHECK(read_annotated(entry).nuclei.points.size() == 2);
  entry.nuclei = 3;
  CHECK_THAT(error_of<IoError>([&] { read_annotated(entry); }), Contains("a.csv: holds 2 nuclei, the manifest says 3"));
  entry.nuclei = 2, entry.width = 41;
  CHECK_THAT(error_of<IoError>([&] { read_annotated(entry); }), Contains("a.png: is 40x30") && Contains("41x30"));
}

TEST_CASE("detections of nucdet are no annotations, points outside are an error") {
  const TemporaryFolder folder;
  io::ManifestEntry entry = entry_in(folder);
  Context<Cpu> context({.threads = 1});
  CHECK(load_sample(context, entry).points.size() == 2);
  io::write_points(entry.annotations, std::vector<Nucleus>{{{3, 4}, 0.5f}});
  CHECK_THAT(error_of<IoError>([&] { load_sample(context, entry); }), Contains("a.csv: holds detections of nucdet"));
  io::DetectionReport report{"a.png", 40, 30};
  report.nuclei = {{{3, 4}, 0.5f}};
  io::write_detections_json(entry.annotations, report);
  CHECK_THAT(error_of<IoError>([&] { load_sample(context, entry); }), Contains("detections of nucdet"));
  io::write_points(entry.annotations, std::vector<Point>{{3, 4}, {60, 4}});
  CHECK_THAT(error_of<IoError>([&] { load_sample(context, entry); }), Contains("1 of 2 points lie outside"));
}
