// What detect and evaluate do with a slide before they look at it, and how they measure what is done.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "detect_slide.hpp"
#include "io/temporary_folder.hpp"
#include "slide/made_slides.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::program;
using Catch::Matchers::Contains;

TEST_CASE("a slide's frame: what was scanned, with regions and areas in its pixels") {
  const slide::Slide slide(slide::MadePyramid(slide::painted(300, 200, 0,
                                                             [](Index, Index) {
                                                               return slide::Rgb{240, 240, 240};
                                                             }),
                                              1, {40, 30, 200, 150}));
  DetectOptions o;
  o.origin = "bounds", o.tissue = "all", o.pixel_size.mpp = 0.25;
  const SlideWork scanned = slide_work(o, {}, slide);
  CHECK(scanned.frame == detect::Rectangle{40, 30, 200, 150});
  CHECK(scanned.counted.core == scanned.frame);
  CHECK(scanned.in_frame({40, 30}) == Point{0, 0});
  CHECK_THAT(scanned.counted_pixels(), Catch::Matchers::WithinRel(200 * 150.0, 0.03));
  CHECK((scanned.counts({40, 30}) && !scanned.counts({39, 30}) && scanned.counts({239, 179}) &&
         !scanned.counts({239, 180})));
  o.region = {10, 20, 50, 60};
  CHECK(slide_work(o, {}, slide).counted.core == detect::Rectangle{50, 50, 50, 60});
  o.region = {0, 0, 201, 10};
  CHECK_THROWS_WITH(slide_work(o, {}, slide), Contains("is not in the image of 200x150 pixels"));

  const TemporaryFolder folder;
  o.region.clear(), o.areas = (folder / "areas.geojson").string();
  std::ofstream(o.areas) << R"({"type": "Feature", "properties": {"classification": {"name": "Region*"}}, "geometry":
      {"type": "Polygon", "coordinates": [[[10, 20], [60, 20], [60, 80], [10, 80], [10, 20]]]}})";
  const SlideWork areas = slide_work(o, {}, slide);
  CHECK((areas.counts({50, 50}) && !areas.counts({49, 50}) && areas.counts({99, 109}) && !areas.counts({99, 110})));
  o.origin = "level0";
  const SlideWork whole = slide_work(o, {}, slide);
  CHECK(whole.frame == detect::Rectangle{0, 0, 300, 200});
  CHECK((whole.counts({10, 20}) && !whole.counts({9, 20}) && whole.in_frame({7, 8}) == Point{7, 8}));
}

TEST_CASE("the area of a slide is that of its tiles together, whatever its cells are") {
  const slide::Slide slide = slide::slide_of(1000, 700, 0, [](Index, Index) { return slide::Rgb{240, 240, 240}; });
  DetectOptions o;
  o.tissue = "all", o.pixel_size.mpp = 0.4;
  o.region = {100, 50, 600, 500};
  SlideWork work = slide_work(o, {}, slide);
  CHECK_THAT(work.counted_pixels(), Catch::Matchers::WithinRel(600 * 500.0, 0.02));
  work.tissue.width = 90, work.tissue.height = 60;  // a checkerboard
  work.tissue.cell_x = 1000 / 90.0, work.tissue.cell_y = 700 / 60.0, work.tissue.cells.clear();
  for (Index i = 0; i < 90 * 60; ++i) work.tissue.cells.push_back(static_cast<std::uint8_t>((i % 90 + i / 90) % 2));
  CHECK_THAT(work.counted_pixels(), Catch::Matchers::WithinRel(300 * 500.0, 0.02));
  std::vector<detect::TileRegion> tiles;
  std::vector<Index> wanted;
  const Shape all = work.plan.reference;
  for (Index y = 0; y < all.h; y += 160)
    for (Index x = 0; x < all.w; x += 160) {
      const detect::Rectangle core{x, y, std::min<Index>(160, all.w - x), std::min<Index>(160, all.h - y)};
      wanted.push_back(static_cast<Index>(tiles.size())), tiles.push_back({core, core});
    }
  SlideMeter meter(work, tiles, wanted);
  CHECK(meter.state(0).done == 0);
  CHECK(meter.state(0).all == Approx(work.counted_pixels() * 0.16e-6));
  for (const Index tile : wanted) meter.add(tile);
  CHECK(meter.state(5).done == Approx(meter.state(0).all));
  CHECK((meter.state(5).nuclei == 5 && std::string(meter.state(5).unit) == "mm2"));
}
