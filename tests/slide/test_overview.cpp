#include "nucdet/core/error.hpp"
#include "nucdet/slide/overview.hpp"

#include "made_slides.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::slide;

namespace {

const Rgb kGlass{243, 241, 244}, kPink{205, 110, 160};

Slide half_tissue(Index width = 1000, Index height = 600) {
  return slide_of(width, height, 1, [=](Index x, Index) { return x < width / 2 ? kPink : kGlass; });
}
double red(const Image& picture, std::size_t y, std::size_t x) { return static_cast<double>(picture(y, x, 0)); }
bool is_grey(const Image& picture, std::size_t y, std::size_t x) {
  return picture(y, x, 0) == picture(y, x, 1) && picture(y, x, 1) == picture(y, x, 2);
}

}  // namespace

TEST_CASE("an overview shows the slide, the tissue's outline and a strip below") {
  const Slide slide = half_tissue();
  const TissueMask tissue = find_tissue(slide, 1);
  const Image picture = draw_overview(slide, 1, tissue);
  REQUIRE(picture.shape(1) == 1000);
  REQUIRE(picture.shape(0) > 600);
  CHECK(red(picture, 300, 200) == Approx(205 / 255.0).epsilon(0.03));
  CHECK(red(picture, 300, 800) == Approx(243 / 255.0).epsilon(0.03));
  // The line: grown by 16 um, it stands at 520, and not where the slide ends.
  CHECK(red(picture, 300, 518) < 0.5);
  CHECK(red(picture, 300, 525) > 0.9);
  CHECK(red(picture, 300, 1) > 0.7);
  CHECK(red(picture, 1, 200) > 0.7);
  CHECK(red(picture, static_cast<std::size_t>(picture.shape(0) - 1), 990) < 0.2);
  const Image bare = draw_overview(slide, 1, all_tissue(slide));
  CHECK(red(bare, 300, 518) > 0.9);
}

TEST_CASE("an overview is read from the level that suits, and no larger than asked for") {
  MadePyramid::Log log;
  const io::Picture large = painted(1600, 1200, 0, [](Index x, Index) { return x < 800 ? kPink : kGlass; });
  const Slide slide(MadePyramid(large, 4).write_to(log));
  const TissueMask tissue = all_tissue(slide);
  const Image picture = draw_overview(slide, 1, tissue, {}, {.longest = 500});
  CHECK(picture.shape(1) == 500);
  REQUIRE(!log.empty());
  for (const auto& [level, r] : log) CHECK(level == 1);
  CHECK(red(picture, 100, 100) == Approx(205 / 255.0).epsilon(0.01));
  CHECK(draw_overview(half_tissue(60, 30), 1, tissue).shape(1) >= 400);  // enlarged for the legend
  CHECK(draw_overview(half_tissue(7, 1500), 1, tissue).shape(1) == 7);
}

TEST_CASE("an overview with density is grey where there are no nuclei") {
  const Slide slide = half_tissue();
  const TissueMask tissue = find_tissue(slide, 1);
  io::NucleusCounts counts = counts_for(slide, 1, {.cell_um = 50});
  for (int i = 0; i < 500; ++i) counts.add({100.0 + i % 50, 100.0 + i / 50});
  counts.add({-3, 5}), counts.add({1000, 5}), counts.add({NAN, 5});
  CHECK(counts.total() == 500);
  const Image picture = draw_overview(slide, 1, tissue, counts.map());
  CHECK(is_grey(picture, 300, 300));
  CHECK(is_grey(picture, 300, 800));
  CHECK_FALSE(is_grey(picture, 125, 125));
  CHECK(picture(125, 125, 2) < picture(125, 125, 0));  // yellow
  CHECK(picture(300, 520, 0) > picture(300, 520, 2) + 0.3f);
  CHECK(picture.shape(0) > draw_overview(slide, 1, tissue).shape(0));
}

TEST_CASE("an overview of no sense is refused") {
  const Slide slide = half_tissue(60, 30);
  CHECK_THROWS_AS(draw_overview(slide, 0, all_tissue(slide)), ArgumentError);
  CHECK_THROWS_AS(draw_overview(slide, 1, all_tissue(slide), {}, {.longest = 10}), ArgumentError);
  CHECK_THROWS_AS(draw_overview(slide, 1, all_tissue(slide), {}, {.opacity = 2}), ArgumentError);
  CHECK_THROWS_AS(counts_for(slide, 0), ArgumentError);
}
