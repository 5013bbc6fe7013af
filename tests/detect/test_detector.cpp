// Tiles: they cover the image once, and nobody sees them in the result.
#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using detect::Detector;
using detect::TileGrid;
using Net = nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 2}>, 3, Cpu>;

namespace {

bool same_found(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Nucleus& i, const Nucleus& j) { return i.centre == j.centre && i.score == j.score; });
}
bool close(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Nucleus& i, const Nucleus& j) {
    return std::abs(i.centre.x - j.centre.x) < 0.01 && std::abs(i.centre.y - j.centre.y) < 0.01 &&
           std::abs(i.score - j.score) < 1e-4 * std::abs(j.score);
  });
}

}  // namespace

TEST_CASE("cores are the cells of one lattice and cover every pixel once; reads hold the margin or end at the border") {
  for (const auto& [width, height] : {std::pair<Index, Index>{1, 1}, {63, 64}, {65, 200}, {500, 301}, {97, 33}})
    for (const TileGrid& grid : {TileGrid{32, 16, 16}, TileGrid{16, 16, 16}, TileGrid{1024, 128, 16},
                                 TileGrid{32, 16, 16, true}, TileGrid{16, 32, 16, true}}) {
      std::vector<int> covered(static_cast<std::size_t>(width * height), 0);
      for (const detect::TileRegion& r : grid.regions(width, height)) {
        CHECK(r.read.x % 16 == 0);
        CHECK(r.read.y % 16 == 0);
        CHECK((r.core.x % grid.cell == 0 && r.core.y % grid.cell == 0));
        CHECK((r.read.width <= grid.window() && r.read.height <= grid.window()));
        if (grid.uniform && width > grid.window()) CHECK((r.read.width + 15) / 16 * 16 == grid.window());
        if (grid.uniform && height > grid.window()) CHECK((r.read.height + 15) / 16 * 16 == grid.window());
        const auto holds = [&](Index read, Index length, Index core, Index extent, Index size) {
          return read <= std::max<Index>(0, core - (core > 0 ? grid.margin : 0)) &&
                 read + length >= std::min(size, core + extent + (core + extent < size ? grid.margin : 0));
        };
        CHECK(holds(r.read.x, r.read.width, r.core.x, r.core.width, width));
        CHECK(holds(r.read.y, r.read.height, r.core.y, r.core.height, height));
        for (Index y = r.core.y; y < r.core.y + r.core.height; ++y)
          for (Index x = r.core.x; x < r.core.x + r.core.width; ++x) ++covered[static_cast<std::size_t>(y * width + x)];
      }
      CHECK(std::all_of(covered.begin(), covered.end(), [](int count) { return count == 1; }));
    }
  CHECK_THROWS_AS((TileGrid{100, 16, 16}.regions(10, 10)), ArgumentError);
  CHECK_THROWS_AS((TileGrid{64, 20, 16}.regions(10, 10)), ArgumentError);
  CHECK_THROWS_AS((TileGrid{0, 16, 16}.regions(10, 10)), ArgumentError);
  CHECK_THROWS_AS((TileGrid{64, 16, 16}.regions(0, 10)), ArgumentError);
}

TEST_CASE("any tile size gives the points of the whole image: with plain sums bit for bit, else but for rounding") {
  const auto method = GENERATE(ConvolutionMethod::direct, ConvolutionMethod::automatic);
  const auto same = [&](const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
    return method == ConvolutionMethod::direct ? same_found(a, b) : close(a, b);
  };
  Context<Cpu> context({.threads = 2, .seed = 4, .convolution = method});
  const Net net(context);
  const detect::LocalMaxima peaks{.radius = 3, .relative = 0.2, .absolute = 0.001f};
  const Image image = data::synthesize({.height = 333, .width = 410, .seed = 3}).image;
  const auto whole = Detector(net, peaks)(image);
  REQUIRE(whole.size() > 20);
  for (const Index cell : {144, 320})
    for (const bool uniform : {false, true})
      CHECK(same(Detector(net, peaks, {}, {.cell = cell, .uniform = uniform})(image), whole));
  const detect::LocalMaxima inner{.radius = 3, .relative = 0.2, .absolute = 0.001f, .keep_border = false};
  const auto kept = Detector(net, inner)(image);
  CHECK(kept.size() < whole.size());
  CHECK(same(Detector(net, inner, {}, {.cell = 208})(image), kept));
}

TEST_CASE("threads, batches and later training do not change what a detector finds") {
  Context<Cpu> one({.threads = 1, .seed = 4}), five({.threads = 5, .seed = 4});
  const Net a(one), b(five);
  const detect::LocalMaxima peaks{.radius = 3, .relative = 0.2, .absolute = 0.001f};
  const Image image = data::synthesize({.height = 90, .width = 101, .seed = 5}).image;
  CHECK(same_found(Detector(a, peaks)(image), Detector(b, peaks)(image)));
  Net changed(one);
  const Detector before(changed, peaks);
  const auto found = before(image);
  changed.parameters()->values().view<float>().data[0] += 1;
  CHECK(same_found(before(image), found));
}

TEST_CASE("images smaller than the network's stride, of one pixel, and at another scale") {
  Context<Cpu> context({.threads = 1, .seed = 4});
  const Net net(context);
  const Detector detector(net, {.radius = 3, .relative = 0, .absolute = 0.0f});
  CHECK_NOTHROW(detector(make_image(1, 1, 3, 0.5f)));
  CHECK_NOTHROW(detector(make_image(7, 300, 3, 0.5f)));
  const Image image = data::synthesize({.height = 100, .width = 80, .seed = 5}).image;
  for (const double scale : {0.5, 2.0})
    for (const Nucleus& n : detector(image, scale)) {
      CHECK((n.centre.x >= -0.5 && n.centre.x <= 79.5));
      CHECK((n.centre.y >= -0.5 && n.centre.y <= 99.5));
    }
  CHECK_THROWS_AS(detector(image, 0.0), ArgumentError);
  CHECK_THROWS_AS(detector(make_image(20, 20, 1, 0.5f)), Error);
}

TEST_CASE("cells are as large as the network's maps allow, and never small") {
  Context<Cpu> context({.threads = 1});
  const auto cell_for = [](const auto& net) {
    const Detector detector(net);
    CHECK((detector.tiles().cell == 1024 || detector.plan().held_elements <= 110'000'000));
    return detector.tiles().cell;
  };
  CHECK(cell_for(nn::Network<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = 8}>, 3, Cpu>(context)) == 2048);
  CHECK(cell_for(nn::Network<nn::MicroNetLite<>, 3, Cpu>(context)) == 1536);
  CHECK(cell_for(nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 16}>, 3, Cpu>(context)) == 1024);
}

TEST_CASE("what a detector refuses") {
  Context<Cpu> context({.threads = 1});
  const Net net(context);
  CHECK_THROWS_WITH(Detector(net, {}, {}, {.cell = 256, .margin = 64}), Catch::Matchers::Contains("must be at least"));
  struct Headless : nn::MicroNet<nn::MicroNetOptions{.base = 2, .maps = 2}> {
    using head = nn::NoHead;
  };
  CHECK_THROWS_WITH(Detector(nn::Network<Headless, 3, Cpu>(context)), Catch::Matchers::Contains("names no head"));
  CHECK_THROWS_AS(Detector(net, {}, {}, {}, {.over = 4}), ArgumentError);
  Image bad = make_image(64, 64, 3, 0.5f);
  bad(3, 4, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(Detector(net)(bad), Catch::Matchers::Contains("not a number"));
  CHECK_THROWS_WITH(Detector(net, {}, data::ImageNormalization{})(bad), Catch::Matchers::Contains("not a number"));
}
