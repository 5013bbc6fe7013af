#include <map>

#include "nucdet/core/rng.hpp"
#include "nucdet/slide/thumbnail.hpp"

#include "slide/blocks.hpp"
#include "slide/slides.hpp"
#include "slide/tile_cache.hpp"
#include "support/catch.hpp"

using namespace slides;
using namespace pictures;

namespace {

Slide slide_of(Index width, Index height, const Samples& samples) {
  io::Picture picture{.where = "a picture", .height = height, .width = width, .pixel_size = {0.5, 0.5, "a test"}};
  io::Picture::Bytes rgb;
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index c = 0; c < 3; ++c) rgb.push_back(static_cast<std::uint8_t>(samples(x, y, c)));
  picture.pixels = std::move(rgb);
  return Slide(slide::PicturePyramid(std::move(picture)));
}

/// Nothing but sizes.
struct Blank {
  std::string name = "blank";
  slide::Level level;
  Rectangle scanned;

  const std::string& where() const { return name; }
  std::span<const slide::Level> levels() const { return {&level, 1}; }
  io::PixelSize pixel_size() const { return {}; }
  Rectangle bounds() const { return scanned; }
  void read(Index, const Rectangle&, std::uint8_t*) const {}
};

}  // namespace

TEST_CASE("blocks share out a part of a level, and tiles among them") {
  RandomStream random{5};
  for (int round = 0; round < 200; ++round) {
    const auto side = [&] { return Index{1} << (4 + random.below(8)); };
    Blank blank{.level = {1 + random.below(9000), 1 + random.below(9000), 1, 1, side(), side() + 16 * random.below(3)},
                .scanned = {}};
    const slide::Level& of = blank.level;
    Rectangle& part = blank.scanned;
    part = {random.below(of.width), random.below(of.height), 0, 0};
    part.width = 1 + random.below(of.width - part.x), part.height = 1 + random.below(of.height - part.y);
    INFO(of.width << " x " << of.height << ", tiles " << of.tile_width << " x " << of.tile_height);
    Index pixels = 0, told = 0, wrong = 0;
    std::map<std::pair<Index, Index>, int> tiles;  // how many blocks touch each
    const Watch watch{{}, [&](Index done, Index all) { told = done == all ? all : told; }};
    Index blocks = 0;
    slide::detail::for_blocks(Slide(blank), 0, part, watch, [&](const Rectangle& b, const std::uint8_t*) {
      pixels += b.width * b.height, ++blocks;
      wrong += b.x < part.x || b.y < part.y || b.x + b.width > part.x + part.width ||
                       b.y + b.height > part.y + part.height || b.width < 1 || b.height < 1 ||
                       b.width * b.height > std::max(Index{1} << 22, of.tile_width * of.tile_height)
                   ? 1
                   : 0;
      for (Index y = b.y / of.tile_height; y * of.tile_height < b.y + b.height; ++y)
        for (Index x = b.x / of.tile_width; x * of.tile_width < b.x + b.width; ++x) ++tiles[{x, y}];
    });
    CHECK((pixels == part.width * part.height && wrong == 0 && told == blocks));
    CHECK(std::all_of(tiles.begin(), tiles.end(), [](const auto& t) { return t.second == 1; }));
  }
}

TEST_CASE("a tile that is larger than a cache is held until the next comes") {
  slide::detail::TileCache cache(100);
  const auto tile = [](std::size_t bytes) { return std::make_shared<const std::vector<std::uint8_t>>(bytes); };
  cache.keep(0, 1, tile(60)), cache.keep(0, 2, tile(40));
  CHECK((cache.find(0, 1) && cache.find(0, 2)));
  cache.keep(0, 3, tile(1000));
  CHECK((cache.find(0, 3) && !cache.find(0, 1) && !cache.find(0, 2)));
  cache.keep(0, 4, tile(10));
  CHECK((cache.find(0, 4) && !cache.find(0, 3)));
}

TEST_CASE("a thumbnail of a part is that of the part alone, and can be stopped") {
  const Slide whole = slide_of(700, 400, shades(255));
  const Slide part = slide_of(300, 200, [](Index x, Index y, Index c) { return shades(255)(x + 123, y + 77, c); });
  const io::Picture a = slide::thumbnail_of(whole, {123, 77, 300, 200}, 90), b = slide::thumbnail(part, 90);
  CHECK((a.width == 90 && a.height == 60 && a.pixel_size.x == Approx(b.pixel_size.x)));
  CHECK(std::get<io::Picture::Bytes>(a.pixels) == std::get<io::Picture::Bytes>(b.pixels));
  CHECK(holds(error_of<ArgumentError>([&] { slide::thumbnail_of(whole, {700, 0, 5, 5}, 90); }), "no pixels"));
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(slide::thumbnail(whole, 90, {stop.get_token(), {}}), Stopped);
}

TEST_CASE("a thumbnail has the mean of what each pixel covers") {
  const Slide slide = slide_of(2600, 1300, shades(255));
  const io::Picture whole = slide.read(0, {0, 0, 2600, 1300}), small = slide::thumbnail(slide, 100);
  REQUIRE((small.width == 100 && small.height == 50));
  CHECK((small.pixel_size.x == Approx(13) && small.pixel_size.y == Approx(13)));
  double worst = 0;
  for (Index y = 0; y < 50; ++y)
    for (Index x = 0; x < 100; ++x)
      for (Index c = 0; c < 3; ++c) {
        double sum = 0;
        for (Index v = 0; v < 26; ++v)
          for (Index u = 0; u < 26; ++u) sum += value_at(whole, 26 * x + u, 26 * y + v, c);
        worst = std::max(worst, std::abs(sum / 676 - value_at(small, x, y, c)));
      }
  CHECK(worst <= 0.5 + 1e-6);
}

TEST_CASE("a thumbnail of a size that does not divide keeps a grey and a slope, and is never enlarged") {
  const Slide grey = slide_of(1000, 337, [](Index, Index, Index) { return 93; });
  const io::Picture small = slide::thumbnail(grey, 123);
  CHECK((small.width == 123 && small.height == 41));
  CHECK(pictures::difference(small, [](Index, Index, Index) { return 93 / 255.0; }) < 1e-6);
  const Slide slope = slide_of(1000, 20, [](Index x, Index, Index) { return static_cast<double>(x / 4); });
  CHECK(pictures::difference(slide::thumbnail(slope, 300), [](Index x, Index, Index) {
          return ((static_cast<double>(x) + 0.5) / 0.3 - 2) / 4 / 255;
        }) < 1.01 / 255);
  CHECK(slide::thumbnail(grey, 5000).width == 1000);
  CHECK(std::get<io::Picture::Bytes>(slide::thumbnail(slope, 1000).pixels) == read(slope, 0, {0, 0, 1000, 20}));
  CHECK(holds(error_of<ArgumentError>([&] { slide::thumbnail(grey, 0); }), "1 to 32768"));
}
