#include <algorithm>

#include "nucdet/core/error.hpp"
#include "nucdet/slide/tissue.hpp"

#include "io/temporary_folder.hpp"
#include "made_slides.hpp"
#include "slide/cell_shapes.hpp"
#include "slide/otsu.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::slide;

namespace {

constexpr double kUm = 1;  // a pixel of the slides here, so that a cell is 8 pixels
const Rgb kGlassColour{243, 241, 244}, kPinkColour{205, 110, 160}, kPale{236, 222, 232};

bool within(Index x, Index y, Index left, Index top, Index width, Index height) {
  return x >= left && y >= top && x < left + width && y < top + height;
}
bool in_disc(Index x, Index y, double cx, double cy, double radius) {
  const double dx = static_cast<double>(x) - cx, dy = static_cast<double>(y) - cy;
  return dx * dx + dy * dy <= radius * radius;
}
double share(const TissueMask& mask, const Slide& slide) {
  return mask.pixels() / (static_cast<double>(slide.width()) * static_cast<double>(slide.height()));
}
/// Whether all cells whose middle is in a rectangle of pixels are tissue, or none.
bool all_in(const TissueMask& mask, bool tissue, const Rectangle& r) {
  for (Index y = 0; y < mask.height; ++y)
    for (Index x = 0; x < mask.width; ++x)
      if (r.holds((static_cast<double>(x) + 0.5) * mask.cell_x, (static_cast<double>(y) + 0.5) * mask.cell_y) &&
          mask.at(x, y) != tissue)
        return false;
  return true;
}

TissueMask random_mask(RandomStream& random) {
  TissueMask mask{1 + random.below(9), 1 + random.below(9)};
  // Whole cells, parts of a slide's pixels, and sizes whose multiples are not exact.
  const auto size = [&](Index cells) {
    return random.chance(0.3) ? static_cast<double>(1 + random.below(9))
                              : static_cast<double>(cells + random.below(100)) / static_cast<double>(cells);
  };
  mask.cell_x = size(mask.width), mask.cell_y = size(mask.height);
  for (Index i = 0; i < mask.width * mask.height; ++i) mask.cells.push_back(random.chance(0.2) ? 1 : 0);
  return mask;
}

}  // namespace

TEST_CASE("masks: half-open cells and rectangles, against looking at every cell") {
  RandomStream random{1};
  for (int round = 0; round < 3000; ++round) {
    const TissueMask mask = random_mask(random);
    const auto begin = [](Index i, double size) { return static_cast<double>(i) * size; };
    const Rectangle r{random.below(120) - 20, random.below(120) - 20, random.below(30), random.below(30)};
    // Corners of cells too: places where rounding would show.
    Point p{random.uniform(-5, 110), random.uniform(-5, 110)};
    if (random.chance(0.5))
      p = {begin(random.below(mask.width + 1), mask.cell_x) - 0.5,
           begin(random.below(mask.height + 1), mask.cell_y) - 0.5};
    bool touched = false, held = false;
    double pixels = 0;
    for (Index y = 0; y < mask.height; ++y)
      for (Index x = 0; x < mask.width; ++x) {
        if (!mask.at(x, y)) continue;
        const double left = begin(x, mask.cell_x), right = begin(x + 1, mask.cell_x);
        const double top = begin(y, mask.cell_y), bottom = begin(y + 1, mask.cell_y);
        touched = touched || (r.width > 0 && r.height > 0 && left < static_cast<double>(r.x + r.width) &&
                              right > static_cast<double>(r.x) && top < static_cast<double>(r.y + r.height) &&
                              bottom > static_cast<double>(r.y));
        held = held || (p.x + 0.5 >= left && p.x + 0.5 < right && p.y + 0.5 >= top && p.y + 0.5 < bottom);
        pixels += mask.cell_x * mask.cell_y;
      }
    INFO(round << ": " << mask.cell_x << " " << mask.cell_y);
    REQUIRE(mask.touches(r) == touched);
    REQUIRE(mask.holds(p) == held);
    REQUIRE(mask.pixels() == Approx(pixels));
  }
  CHECK_FALSE(TissueMask{1, 1, 10, 10, {1}}.holds({NAN, 3}));
  CHECK_FALSE(TissueMask{1, 1, 10, 10, {1}}.holds({1e300, -1e300}));
}

TEST_CASE("glass with noise, shade and padding is no tissue, tissue without glass is all tissue") {
  for (const double noise : {0.0, 1.0, 3.0}) {
    INFO(noise);
    const Slide glass = slide_of(800, 640, noise, [](Index x, Index y) {
      const double shade = 1 - 0.08 *
                                   (static_cast<double>((x - 400) * (x - 400)) / 160000 +
                                    static_cast<double>((y - 320) * (y - 320)) / 102400) /
                                   2;
      return Rgb{243 * shade, 240 * shade, 242 * shade};
    });
    CHECK(find_tissue(glass, kUm).pixels() == 0);
    const Slide grey = slide_of(800, 640, noise, [](Index, Index) { return Rgb{240, 240, 240}; });
    CHECK(find_tissue(grey, kUm).pixels() == 0);
    for (const double fill : {0.0, 128.0, 255.0}) {
      const Slide padded = slide_of(800, 640, 0, [&](Index x, Index y) {
        const double n = noise * static_cast<double>((x * 7 + y * 13) % 5 - 2) / 2;
        return within(x, y, 103, 51, 500, 430) ? Rgb{240 + n, 236 + n, 239 + n} : Rgb{fill, fill, fill};
      });
      INFO("fill " << fill);
      CHECK(find_tissue(padded, kUm).pixels() == 0);
    }
    const Slide full = slide_of(400, 400, noise, [](Index x, Index y) {
      return (x / 8 + y / 8) % 3 == 0 ? Rgb{120, 70, 150} : Rgb{210, 150, 190};
    });
    CHECK(share(find_tissue(full, kUm), full) == Approx(1));
  }
}

TEST_CASE("pale tissue is kept beside dark tissue, on glass of any tint") {
  for (const Rgb& glass : {Rgb{255, 255, 255}, Rgb{243, 236, 240}, Rgb{238, 240, 228}, Rgb{205, 205, 210}}) {
    const double light = glass[1] / 255;
    const Slide slide = slide_of(800, 640, 1, [&](Index x, Index y) {
      if (within(x, y, 80, 80, 320, 240)) return Rgb{150 * light, 60 * light, 130 * light};
      if (within(x, y, 480, 320, 240, 240)) return Rgb{kPale[0] * light, kPale[1] * light, kPale[2] * light};
      return glass;
    });
    const TissueMask mask = find_tissue(slide, kUm);
    INFO(glass[0] << " " << glass[1]);
    CHECK(all_in(mask, true, {480, 320, 240, 240}));
    CHECK(all_in(mask, true, {80, 80, 320, 240}));
    CHECK(mask.pixels() < 1.3 * (320 * 240 + 240 * 240));
    CHECK(all_in(mask, false, {440, 0, 360, 280}));
  }
}

TEST_CASE("grey tissue is found by its darkness, beside black padding too") {
  const Slide slide = slide_of(640, 640, 1, [](Index x, Index y) {
    if (x < 100) return Rgb{0, 0, 0};
    return within(x, y, 300, 200, 200, 200) ? Rgb{150, 150, 150} : Rgb{244, 244, 244};
  });
  const TissueMask mask = find_tissue(slide, kUm);
  CHECK(all_in(mask, true, {300, 200, 200, 200}));
  CHECK(all_in(mask, false, {0, 0, 270, 640}));
}

TEST_CASE("small holes are filled, large ones are not; specks go, unless they lie close together") {
  const Slide slide = slide_of(800, 800, 1, [](Index x, Index y) {
    const bool tissue = in_disc(x, y, 250, 250, 200) && !in_disc(x, y, 180, 250, 40) && !in_disc(x, y, 330, 250, 80);
    const bool speck = within(x, y, 600, 104, 24, 24);
    const bool loose = within(x, y, 480, 560, 240, 160) && x % 48 < 16 && y % 48 < 16;
    return tissue || speck || loose ? kPinkColour : kGlassColour;
  });
  const TissueMask mask = find_tissue(slide, kUm);
  CHECK(mask.holds({180, 250}));
  CHECK_FALSE(mask.holds({330, 250}));
  CHECK(all_in(mask, false, {560, 0, 240, 500}));
  CHECK(all_in(mask, true, {528, 624, 128, 40}));
  CHECK(mask.holds({536, 584}));
  const TissueMask fine = find_tissue(slide, kUm, {.grow_um = 0, .smallest_um2 = 300});
  CHECK(fine.holds({612, 116}));
  CHECK_FALSE(fine.holds({180, 250}));
}

TEST_CASE("tissue grows by a disc of the size that is asked for") {
  const Slide slide = slide_of(800, 800, 0, [](Index x, Index y) {
    return within(x, y, 360, 360, 80, 80) ? kPinkColour : Rgb{240.0 + static_cast<double>((x + y) % 2), 240, 240};
  });
  const TissueMask tight = find_tissue(slide, kUm, {.grow_um = 0});
  CHECK(tight.pixels() == 80 * 80);
  const TissueMask wide = find_tissue(slide, kUm, {.grow_um = 80});
  CHECK(wide.holds({400, 281}));
  CHECK_FALSE(wide.holds({400, 279}));
  CHECK(wide.pixels() == Approx(80 * 80 + 4 * 80 * 80 + 3.14159 * 80 * 80).epsilon(0.06));
  CHECK_FALSE(wide.holds({290, 290}));
}

TEST_CASE("the level that suits is read, each of its pixels once, in blocks, within the bounds") {
  const auto paint = [](Index x, Index y) { return in_disc(x, y, 600, 500, 300) ? kPinkColour : kGlassColour; };
  const io::Picture picture = painted(1600, 1104, 1, paint);
  MadePyramid::Log log;
  const Slide slide(MadePyramid(picture, 6).write_to(log));
  const TissueMask low = find_tissue(slide, 1);
  for (const auto& [level, r] : log) CHECK(level == 3);
  CHECK(low.width == 200);
  log.clear();
  const Slide one(MadePyramid(picture, 1).write_to(log));
  const TissueMask full = find_tissue(one, 1);
  std::vector<int> reads(1600 * 1104);
  for (const auto& [level, r] : log) {
    CHECK(r.width * r.height <= 4096 * 1024);
    for (Index y = r.y; y < r.y + r.height; ++y)
      for (Index x = r.x; x < r.x + r.width; ++x) ++reads[static_cast<std::size_t>(y * 1600 + x)];
  }
  CHECK(std::all_of(reads.begin(), reads.end(), [](int n) { return n == 1; }));
  // A few cells at the border may differ: levels round.
  REQUIRE(full.cells.size() == low.cells.size());
  Index differ = 0;
  for (std::size_t i = 0; i < full.cells.size(); ++i) differ += full.cells[i] != low.cells[i];
  CHECK(differ < 20);
  const Slide part(MadePyramid(picture, 1, {500, 300, 400, 301}).write_to(log));
  log.clear();
  const TissueMask bounded = find_tissue(part, 1);
  for (const auto& [level, r] : log) CHECK((r.x >= 500 && r.y >= 300 && r.x + r.width <= 900 && r.y + r.height <= 601));
  CHECK(all_in(bounded, true, {500, 300, 300, 240}));
  CHECK(all_in(bounded, false, {0, 0, 1600, 270}));
  CHECK(all_in(bounded, false, {0, 640, 1600, 460}));
}

TEST_CASE("glass of its own tint is known where a tenth of the slide was scanned, and looking for it can be stopped") {
  const Rgb tinted{200, 198, 201};
  const io::Picture picture = painted(800, 800, 1, [&](Index x, Index) { return x < 130 ? kPinkColour : tinted; });
  const Slide slide(MadePyramid(picture, 1, {0, 0, 253, 253}));
  const TissueMask mask = find_tissue(slide, kUm, {.grow_um = 0});
  CHECK(all_in(mask, true, {0, 0, 120, 248}));
  CHECK(all_in(mask, false, {144, 0, 104, 248}));
  std::stop_source stop;
  Index told = 0;
  const Watch watch{stop.get_token(), [&](Index done, Index) { told = std::max(told, done + 1), stop.request_stop(); }};
  CHECK_THROWS_AS(find_tissue(slide, kUm, {}, watch), Stopped);
  CHECK(told == 1);
}

TEST_CASE("cells without number are refused, of however few pixels a slide is high") {
  struct Ribbon {
    std::string name = "ribbon";
    Level level{Index{1} << 32, 1, 1, 1, 0, 0};
    const std::string& where() const { return name; }
    std::span<const Level> levels() const { return {&level, 1}; }
    io::PixelSize pixel_size() const { return {}; }
    Rectangle bounds() const { return {0, 0, level.width, level.height}; }
    void read(Index, const Rectangle&, std::uint8_t*) const { throw IoError("was read"); }
  };
  CHECK_THROWS_AS(find_tissue(Slide(Ribbon{}), 1), ArgumentError);
}

TEST_CASE("a slide of any size has cells, and those of no sense are refused") {
  for (const auto& [w, h] : {std::pair<Index, Index>{1, 1}, {3, 700}, {701, 5}, {9, 9}}) {
    const Slide slide = slide_of(w, h, 0, [](Index, Index) { return kPinkColour; });
    const TissueMask mask = find_tissue(slide, kUm, {.smallest_um2 = 0});
    CHECK(static_cast<double>(mask.width) * mask.cell_x == Approx(static_cast<double>(w)));
    CHECK(share(mask, slide) == Approx(1));
    CHECK(find_tissue(slide, 100, {.smallest_um2 = 0}).width == w);  // no cell is less than a pixel
  }
  const Slide slide = slide_of(9, 9, 0, [](Index, Index) { return kPinkColour; });
  CHECK_THROWS_AS(find_tissue(slide, 0), ArgumentError);
  CHECK_THROWS_AS(find_tissue(slide, NAN), ArgumentError);
  CHECK_THROWS_AS(find_tissue(slide, -1), ArgumentError);
  CHECK_THROWS_AS(find_tissue(slide, 1, {.cell_um = 0}), ArgumentError);
  CHECK_THROWS_AS(find_tissue(slide, 1, {.grow_um = -1}), ArgumentError);
  CHECK_THROWS_AS(tissue_in({}, slide, 1, {.smallest_um2 = -1}), ArgumentError);
  CHECK(share(all_tissue(slide), slide) == Approx(1));
  CHECK(all_tissue(slide).touches({8, 8, 1, 1}));
  CHECK_FALSE(all_tissue(slide).touches({9, 8, 1, 1}));
}

TEST_CASE("the caller's size of a pixel goes before the slide's") {
  io::Picture picture = painted(400, 400, 0, [](Index, Index) { return kPinkColour; });
  picture.pixel_size = {2, 4, "test"};
  const Slide slide{PicturePyramid(picture)};
  CHECK(find_tissue(slide, 0).width == 100);
  CHECK(find_tissue(slide, 0).height == 200);
  CHECK(find_tissue(slide, 1).width == 50);
  CHECK(tissue_in({}, slide, 1).height == 50);
}

TEST_CASE("a mask by others, of any size that has the slide's proportions") {
  const Slide slide = slide_of(1000, 640, 0, [](Index, Index) { return kGlassColour; });
  const auto mask_of = [&](Index w, Index h) {
    return painted(w, h, 0, [&](Index x, Index y) {
      const double v = x >= w / 2 && y < h / 4 ? 1 : 0;
      return Rgb{0, 0, v};
    });
  };
  for (const auto& [w, h] :
       {std::pair<Index, Index>{1000, 640}, {100, 64}, {125, 80}, {2000, 1280}, {15, 10}, {16, 9}}) {
    const TissueMask mask = tissue_from(mask_of(w, h), slide);
    INFO(w << " x " << h);
    CHECK(mask.holds({999, 0}));
    CHECK(mask.holds({540, 0}));
    CHECK_FALSE(mask.holds({450, 0}));
    CHECK_FALSE(mask.holds({999, 200}));
    CHECK(mask.touches({0, 0, 600, 10}));
    CHECK_FALSE(mask.touches({0, 0, 400, 640}));
  }
  for (const auto& [w, h] : {std::pair<Index, Index>{64, 100}, {100, 100}, {1000, 600}, {103, 64}})
    CHECK_THROWS_AS(tissue_from(mask_of(w, h), slide), IoError);
  CHECK(error_of<IoError>([&] { tissue_from(mask_of(64, 100), slide); }).find("made.png") != std::string::npos);
  io::Picture wide = mask_of(100, 64);
  io::Picture::Words words;
  for (const std::uint8_t v : std::get<io::Picture::Bytes>(wide.pixels))
    words.push_back(static_cast<std::uint16_t>(v * 256));
  wide.pixels = words;
  CHECK(tissue_from(wide, slide).cells == tissue_from(mask_of(100, 64), slide).cells);
}

TEST_CASE("areas as a mask: every point that counts is held, and little else", "[long]") {
  const Slide slide = slide_of(400, 300, 0, [](Index, Index) { return kGlassColour; });
  RandomStream random{5};
  const auto ring = [&] {
    std::vector<Point> corners;
    const Index count = 3 + random.below(6);
    for (Index i = 0; i < count; ++i) {
      Point p{random.uniform(-60, 460), random.uniform(-60, 360)};
      if (random.chance(0.3)) p = {8.0 * std::round(p.x / 8) - 0.5, 8.0 * std::round(p.y / 8) - 0.5};
      corners.push_back(p);
    }
    return corners;
  };
  for (int round = 0; round < 60; ++round) {
    Areas areas;
    for (Index i = random.below(3); i > 0; --i) areas.regions.push_back({{ring(), ring()}});
    for (Index i = random.below(3); i > 0; --i) areas.ignored.push_back({{ring()}});
    const TissueMask mask = tissue_in(areas, slide, 1);
    REQUIRE(mask.width == 50);
    std::vector<int> counted(mask.cells.size());
    for (double y = -0.5; y < 299.5; y += 1.3)
      for (double x = -0.5; x < 399.5; x += 1.3)
        if (areas.count({x, y})) {
          const auto cx = static_cast<Index>((x + 0.5) / mask.cell_x), cy = static_cast<Index>((y + 0.5) / mask.cell_y);
          ++counted[static_cast<std::size_t>(cy * mask.width + cx)];
          if (!mask.holds({x, y})) FAIL(round << ": " << x << ", " << y << " counts and is not held");
        }
    // A cell is there since something of it counts, or nearly: a border runs through it.
    for (Index y = 0; y < mask.height; ++y)
      for (Index x = 0; x < mask.width; ++x) {
        if (!mask.at(x, y) || counted[static_cast<std::size_t>(y * mask.width + x)] > 0) continue;
        bool border = false;
        const auto near = [&](const std::vector<Area>& all) {
          for (const Area& area : all)
            area.visit_edges([&](Point a, Point b) {
              for (int k = 0; k <= 1000; ++k) {
                const double px = a.x + (b.x - a.x) * k / 1000 + 0.5, py = a.y + (b.y - a.y) * k / 1000 + 0.5;
                border = border || (px > mask.cell_x * static_cast<double>(x) - 1 &&
                                    px < mask.cell_x * static_cast<double>(x + 1) + 1 &&
                                    py > mask.cell_y * static_cast<double>(y) - 1 &&
                                    py < mask.cell_y * static_cast<double>(y + 1) + 1);
              }
            });
        };
        near(areas.regions), near(areas.ignored);
        if (!border) FAIL(round << ": cell " << x << ", " << y << " has nothing that counts");
      }
  }
}

TEST_CASE("a mask that is grown holds what is near, and nothing far") {
  const slide::TissueMask mask{40, 30, 7, 6, [] {
                                 std::vector<std::uint8_t> cells(40 * 30);
                                 cells[12 * 40 + 20] = cells[3] = 1;
                                 return cells;
                               }()};
  for (const double pixels : {0.0, 3.0, 6.5, 17.0}) {
    const slide::TissueMask grown = slide::grown(mask, pixels);
    CHECK((grown.width == 40 && grown.cell_x == 7 && grown.cell_y == 6));
    for (Index y = 0; y < 30; ++y)
      for (Index x = 0; x < 40; ++x) {
        const auto apart = [&](Index cell_x, Index cell_y) {  // of the nearest points of two cells, in pixels
          const auto gap = [](Index a, Index b) {
            return static_cast<double>(std::max<Index>(0, std::abs(a - b) - 1));
          };
          return std::hypot(7 * gap(x, cell_x), 6 * gap(y, cell_y));
        };
        const double nearest = std::min(apart(20, 12), apart(3, 0));
        if (nearest <= pixels) CHECK(grown.at(x, y));
        if (nearest > pixels + std::hypot(14.0, 12.0)) CHECK_FALSE(grown.at(x, y));
      }
  }
  CHECK_THROWS_AS(slide::grown(mask, -1), ArgumentError);
}

TEST_CASE("areas: even-odd rings, whole cells of what is ignored") {
  const Slide slide = slide_of(160, 160, 0, [](Index, Index) { return kGlassColour; });
  const auto box = [](double left, double top, double right, double bottom) {
    return std::vector<Point>{{left, top}, {right, top}, {right, bottom}, {left, bottom}};
  };
  const Area ring{{box(-0.5, -0.5, 159.5, 159.5), box(36, 36, 124, 124)}};
  const TissueMask mask = tissue_in({{ring}, {}}, slide, 1);
  CHECK(mask.holds({39, 60}));  // its cell is cut
  CHECK_FALSE(mask.holds({41, 60}));
  CHECK_FALSE(mask.holds({80, 80}));
  const TissueMask rest = tissue_in({{}, {{{box(36, 36, 124, 124)}}}}, slide, 1);
  CHECK(rest.holds({39, 60}));
  CHECK_FALSE(rest.holds({41, 60}));
  CHECK(tissue_in({}, slide, 1).pixels() == 160 * 160);
}

TEST_CASE("Otsu's threshold parts two heaps, and one has none") {
  std::vector<std::uint64_t> histogram(256);
  CHECK(slide::detail::otsu(histogram) == 0);
  histogram[40] = 100;
  CHECK(slide::detail::otsu(histogram) == 0);
  histogram[60] = 30;
  CHECK(slide::detail::otsu(histogram) == Approx(50.5));
  histogram[41] = 1000, histogram[200] = 500;
  const double at = slide::detail::otsu(histogram);
  CHECK((at > 61 && at < 200));
}

TEST_CASE("shapes of cells: growing against distances, pieces by sides and corners") {
  RandomStream random{3};
  for (int round = 0; round < 200; ++round) {
    const Index width = 1 + random.below(14), height = 1 + random.below(14);
    slide::detail::Cells cells;
    for (Index i = 0; i < width * height; ++i) cells.push_back(random.chance(0.07) ? 1 : 0);
    const double radius = random.uniform(0, 6);
    const slide::detail::Cells grown = slide::detail::grown(cells, width, radius);
    for (Index i = 0; i < width * height; ++i) {
      bool near = false;
      for (Index j = 0; j < width * height; ++j) {
        const auto dx = static_cast<double>(i % width - j % width), dy = static_cast<double>(i / width - j / width);
        near = near || (cells[static_cast<std::size_t>(j)] != 0 && dx * dx + dy * dy <= radius * radius);
      }
      REQUIRE((grown[static_cast<std::size_t>(i)] != 0) == near);
    }
  }
  slide::detail::Cells cells{1, 1, 1, 1, 1,  //
                             1, 0, 1, 0, 1,  //
                             1, 1, 0, 1, 0,  //
                             1, 1, 1, 1, 1};
  slide::detail::fill_holes(cells, 5, 2);
  CHECK(cells == slide::detail::Cells{1, 1, 1, 1, 1,  //
                                      1, 1, 1, 1, 1,  //
                                      1, 1, 1, 1, 0,  //
                                      1, 1, 1, 1, 1});
  slide::detail::Cells specks{1, 0, 0, 0, 0,  //
                              0, 1, 0, 1, 1,  //
                              1, 0, 0, 0, 0};
  const slide::detail::Cells seeds = specks;
  slide::detail::drop_specks(specks, seeds, 5, 3);
  CHECK(specks == slide::detail::Cells{1, 0, 0, 0, 0,  //
                                       0, 1, 0, 0, 0,  //
                                       1, 0, 0, 0, 0});
}
