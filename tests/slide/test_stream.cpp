// A slide through a detector: the nuclei of the picture in memory, whatever is read when.
#include <atomic>
#include <thread>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/slide/detect_slide.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/stream.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using detect::Detector;
using Net = nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 2}>, 3, Cpu>;

namespace {

/// With rounding errors of no kind: tiles of any size give the same bits.
struct Scene {
  Context<Cpu> context{{.threads = 2, .seed = 4, .convolution = ConvolutionMethod::direct}};
  Net net{context};
  io::Picture picture{.where = "made up", .format = "none", .height = 421, .width = 530};

  Scene() {
    const Image image = data::synthesize({.height = picture.height, .width = picture.width, .seed = 3}).image;
    io::Picture::Bytes bytes;
    for (const float v : image) bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * v)));
    picture.pixels = std::move(bytes);
  }
  data::FixedNormalization rule() const {
    data::FixedNormalization rule;
    rule.statistics = {{0.5f, 0.5f, 0.5f}, {0.25f, 0.25f, 0.25f}};
    return rule;
  }
  Detector<Cpu> detector(Index cell) {
    return Detector<Cpu>(net, {.radius = 3, .relative = 0, .absolute = 0.001f}, rule(), {.cell = cell});
  }
};

/// A slide whose seventh tile cannot be read.
struct Torn : slide::PicturePyramid {
  std::atomic<int>* reads;

  Torn(slide::PicturePyramid whole, std::atomic<int>* count) : slide::PicturePyramid(std::move(whole)), reads(count) {}
  void read(Index level, const Rectangle& r, std::uint8_t* rgb) const {
    if (++*reads == 7) throw IoError("the seventh tile is torn");
    slide::PicturePyramid::read(level, r, rgb);
  }
};

std::vector<Nucleus> sorted(std::vector<Nucleus> nuclei) {
  std::sort(nuclei.begin(), nuclei.end(), [](const Nucleus& a, const Nucleus& b) {
    return std::pair(a.centre.y, a.centre.x) < std::pair(b.centre.y, b.centre.x);
  });
  return nuclei;
}

using Detectors = std::vector<const Detector<Cpu>*>;

std::vector<Nucleus> stream(const Detectors& detectors, const slide::Slide& slide, double um, slide::ReadAhead ahead,
                            const Watch& watch = {}) {
  const Detector<Cpu>& detector = *detectors[0];
  const slide::SlidePlan plan(slide, um);
  const auto tiles = detector.regions(plan.reference);
  std::vector<Index> numbers;
  for (std::size_t i = 0; i < tiles.size(); ++i) numbers.push_back(static_cast<Index>(i));
  std::vector<Nucleus> all;
  const data::ChannelStatistics statistics{{0.5f, 0.5f, 0.5f}, {0.25f, 0.25f, 0.25f}};
  slide::detect_tiles<Cpu>(
      std::span(detectors), slide, plan, statistics, tiles, numbers,
      [&](Index, const std::vector<Nucleus>& nuclei) { all.insert(all.end(), nuclei.begin(), nuclei.end()); }, watch,
      ahead);
  for (Nucleus& n : all) n.score = detector.peaks().score(n.score);
  return sorted(std::move(all));
}

void check_same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK((a[i].centre == b[i].centre && a[i].score == b[i].score));
}

}  // namespace

TEST_CASE("a slide has the nuclei of the picture, at any scale, with any tiles and any queue", "[long]") {
  Scene scene;
  const slide::Slide slide{slide::PicturePyramid(scene.picture)};
  for (const double um : {0.25, 0.5, 0.2}) {
    std::vector<Nucleus> whole = scene.detector(1024).detect(scene.picture.view(), um / 0.25).nuclei;
    whole = sorted(std::move(whole));
    REQUIRE(whole.size() > 20);
    INFO(um);
    for (const Index cell : {144, 320}) {
      const Detector<Cpu> detector = scene.detector(cell);
      for (const std::size_t ahead : {1u, 3u}) check_same(stream({&detector}, slide, um, {ahead}), whole);
      // Two at work in contexts of their own, as on a GPU, and three that read for them.
      Context<Cpu> other({.threads = 1, .seed = 4, .convolution = ConvolutionMethod::direct});
      const Detector<Cpu> second = detector.in(other);
      check_same(stream({&detector, &second}, slide, um, {2, 3}), whole);
    }
  }
}

TEST_CASE("of a tile no more is looked at than has tissue, and its nuclei stay the same") {
  Scene scene;
  const slide::Slide slide{slide::PicturePyramid(scene.picture)};
  slide::TissueMask tissue{
      .width = 53, .height = 43, .cell_x = 10, .cell_y = 9.8, .cells = std::vector<std::uint8_t>(53 * 43)};
  for (const auto& [x, y] : {std::pair(3, 4), {20, 9}, {21, 30}, {22, 31}, {52, 42}, {48, 20}})
    for (int i = 0; i < 2; ++i) tissue.cells[static_cast<std::size_t>(std::min(y + i, 42) * 53 + x)] = 1;
  const Detector<Cpu> detector = scene.detector(144);
  for (const double um : {0.25, 0.4}) {
    const slide::SlidePlan plan(slide, um);
    const auto whole = detector.regions(plan.reference);
    const auto cut = plan.tiles_on(tissue, whole, detector.tiles());
    const std::vector<Index> numbers = plan.wanted(whole, tissue, {0, 0, slide.width(), slide.height()});
    CHECK(plan.wanted(cut, tissue, {0, 0, slide.width(), slide.height()}) == numbers);
    const auto in_tissue = [&](const std::vector<detect::TileRegion>& tiles) {
      std::vector<Nucleus> all;
      slide::detect_tiles(detector, slide, plan, scene.rule().statistics, tiles, numbers,
                          [&](Index, const std::vector<Nucleus>& nuclei) {
                            for (const Nucleus& n : nuclei)
                              if (tissue.holds(n.centre)) all.push_back(n);
                          });
      return sorted(std::move(all));
    };
    const std::vector<Nucleus> wanted = in_tissue(whole);
    CHECK(wanted.size() > 3);
    check_same(in_tissue(cut), wanted);
    Index pixels = 0, all = 0;
    for (const Index i : numbers) {
      const detect::Rectangle &of = whole[static_cast<std::size_t>(i)].core, &c = cut[static_cast<std::size_t>(i)].core;
      CHECK((c.x % 16 == 0 && c.y % 16 == 0 && c.x >= of.x && c.y >= of.y));
      CHECK((c.x + c.width <= of.x + of.width && c.y + c.height <= of.y + of.height && c.width > 0 && c.height > 0));
      pixels += c.width * c.height, all += of.width * of.height;
    }
    CHECK(2 * pixels < all);
  }
}

TEST_CASE("tiles beside tissue are not looked at") {
  Scene scene;
  const slide::Slide slide{slide::PicturePyramid(scene.picture)};
  const Detector<Cpu> detector = scene.detector(144);
  const slide::SlidePlan plan(slide, 0.25);
  const slide::TissueMask tissue{.width = 4, .height = 1, .cell_x = 144.5, .cell_y = 421, .cells = {0, 1, 0, 0}};
  const auto tiles = plan.tiles_on(tissue, detector.regions(plan.reference), detector.tiles());
  std::vector<Index> wanted;
  for (std::size_t i = 0; i < tiles.size(); ++i)
    if (const Rectangle& c = tiles[i].core; c.x < 289 && static_cast<double>(c.x + c.width) > 144.5)
      wanted.push_back(static_cast<Index>(i));
  CHECK((wanted.size() > 2 && wanted.size() < tiles.size()));
  CHECK(plan.wanted(tiles, tissue, {0, 0, slide.width(), slide.height()}) == wanted);
  // Two ahead, one that is read, one in work.
  CHECK((slide::TileWorkers<Cpu>::tiles_held(2) == 4 && slide::TileWorkers<Cpu>::tiles_held(0) == 3));
}

TEST_CASE("a slide is normalised by what was scanned of it") {
  /// A picture, and white where nothing was scanned.
  struct Scanned : slide::PicturePyramid {
    Rectangle scanned;
    Scanned(io::Picture picture, const Rectangle& part) : slide::PicturePyramid(std::move(picture)), scanned(part) {}
    Rectangle bounds() const { return scanned; }
  };
  Scene scene;
  const Rectangle part{100, 80, 300, 200};
  const slide::Slide whole{slide::PicturePyramid(scene.picture)}, some{Scanned(scene.picture, part)},
      alone{slide::PicturePyramid(whole.read(0, part))};
  const Detector<Cpu> detector(scene.net, {.radius = 3}, data::ImageNormalization{});
  const auto mean = [&](const slide::Slide& s) {
    return slide::statistics_for(detector, data::ImageNormalization{}, s).mean;
  };
  CHECK(mean(some) == mean(alone));
  CHECK(mean(some) != mean(whole));
}

TEST_CASE("what goes wrong on the way ends a stream, with its own words") {
  Scene scene;
  const Detector<Cpu> detector = scene.detector(96);
  for (const std::size_t readers : {1u, 3u})
    for (const Detectors& detectors : {Detectors{&detector}, Detectors{&detector, &detector}}) {
      std::atomic<int> reads = 0;
      const slide::Slide torn{Torn{slide::PicturePyramid(scene.picture), &reads}};
      CHECK_THROWS_WITH(stream(detectors, torn, 0.25, {2, readers}), "the seventh tile is torn");
      CHECK(reads < 7 + 3);
      const slide::Slide whole{slide::PicturePyramid(scene.picture)};
      std::stop_source source;
      const Watch watch{source.get_token(), [&](Index done, Index) {
                          if (done == 3) source.request_stop();
                        }};
      CHECK_THROWS_AS(stream(detectors, whole, 0.25, {2, readers}, watch), Stopped);
    }
}
