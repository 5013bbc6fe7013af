// A slide through a detector: the nuclei of the picture in memory, whatever is read when.
#include <atomic>
#include <thread>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"
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
  Detector<Cpu> detector(Index cell) {
    data::FixedNormalization rule;
    rule.statistics = {{0.5f, 0.5f, 0.5f}, {0.25f, 0.25f, 0.25f}};
    return Detector<Cpu>(net, {.radius = 3, .relative = 0, .absolute = 0.001f}, rule, {.cell = cell});
  }
};

std::vector<Nucleus> sorted(std::vector<Nucleus> nuclei) {
  std::sort(nuclei.begin(), nuclei.end(), [](const Nucleus& a, const Nucleus& b) {
    return std::pair(a.centre.y, a.centre.x) < std::pair(b.centre.y, b.centre.x);
  });
  return nuclei;
}

std::vector<Nucleus> stream(const Detector<Cpu>& detector, const slide::Slide& slide, double um, std::size_t ahead) {
  const slide::SlidePlan plan(slide, um);
  const auto tiles = detector.regions(plan.reference);
  std::vector<Index> numbers;
  for (std::size_t i = 0; i < tiles.size(); ++i) numbers.push_back(static_cast<Index>(i));
  std::vector<Nucleus> all;
  const data::ChannelStatistics statistics{{0.5f, 0.5f, 0.5f}, {0.25f, 0.25f, 0.25f}};
  slide::detect_tiles(
      detector, slide, plan, statistics, tiles, numbers,
      [&](Index, const std::vector<Nucleus>& nuclei) { all.insert(all.end(), nuclei.begin(), nuclei.end()); }, {},
      {ahead});
  for (Nucleus& n : all) n.score = detector.peaks().score(n.score);
  return sorted(std::move(all));
}

void check_same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK((a[i].centre == b[i].centre && a[i].score == b[i].score));
}

}  // namespace

TEST_CASE("a slide has the nuclei of the picture, at any scale, with any tiles and any queue") {
  Scene scene;
  const slide::Slide slide{slide::PicturePyramid(scene.picture)};
  for (const double um : {0.25, 0.5, 0.2}) {
    std::vector<Nucleus> whole = scene.detector(1024).detect(scene.picture.view(), um / 0.25).nuclei;
    whole = sorted(std::move(whole));
    REQUIRE(whole.size() > 20);
    INFO(um);
    for (const Index cell : {144, 320})
      for (const std::size_t ahead : {1u, 3u}) check_same(stream(scene.detector(cell), slide, um, ahead), whole);
  }
}
