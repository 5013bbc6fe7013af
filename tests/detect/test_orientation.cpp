// The eight ways to lay a square on itself, and the mean of a network's answers over them.
#include <set>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;
using detect::Detector, detect::kOrientations, detect::Orientation;
using Net = nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 2}>, 3, Cpu>;

namespace {

Tensor<Cpu> reoriented(Context<Cpu>& context, View<const float> x, Orientation by) {
  Tensor<Cpu> y = context.make(by.of(x.shape));
  detect::reorient(context, x, by, y.view<float>());
  return y;
}

Image image_of(const Tensor<Cpu>& tensor) {
  Image image = make_image(tensor.shape().h, tensor.shape().w, tensor.shape().c);
  std::copy_n(tensor.view<const float>().data, image.size(), image.data());
  return image;
}

}  // namespace

TEST_CASE("the eight orientations of a map are all different, and each is undone") {
  Context<Cpu> context({.threads = 2});
  const Shape s{1, 2, 3, 2};
  std::vector<double> numbers;
  for (int i = 0; i < 12; ++i) numbers.push_back(i);
  const Strided<float> x(context, s, numbers);
  const auto view = std::as_const(x.part).view<const float>();
  std::set<std::vector<double>> seen;
  for (const Orientation& way : kOrientations) {
    const Tensor<Cpu> y = reoriented(context, view, way);
    std::vector<double> all = numbers_of(y.view<const float>());
    Tensor<Cpu> sum = context.zeros(s);
    detect::add_turned_back(context, y.view<const float>(), way, 2, sum.view<float>());
    const std::vector<double> back = numbers_of(std::as_const(sum).view<const float>());
    for (std::size_t i = 0; i < 12; ++i) CHECK(back[i] == 2 * numbers[i]);
    all.push_back(static_cast<double>(y.shape().h));  // 2x3 and 3x2 may hold the same numbers in the same order
    CHECK(seen.insert(all).second);
  }
  // By hand: rows 01 23 45 and 67 89 1011; a quarter turn to the right starts with the first column, from below.
  const auto turned = numbers_of(reoriented(context, view, {true, true, false}).view<const float>());
  CHECK(std::vector<double>(turned.begin(), turned.begin() + 4) == std::vector<double>{6, 7, 0, 1});
  Tensor<Cpu> wrong = context.zeros({1, 3, 3, 2});
  CHECK_THROWS_AS(detect::reorient(context, view, {}, wrong.view<float>()), ShapeError);
  CHECK_THROWS_AS(detect::add_turned_back(context, view, {}, 1, wrong.view<float>()), ShapeError);
}

TEST_CASE("averaged, the map is the mean of the maps of eight reoriented images, turned back") {
  Context<Cpu> context({.threads = 2, .seed = 4});
  const Net net(context);
  const Image image = data::synthesize({.height = 96, .width = 112, .seed = 3}).image;
  const data::ChannelStatistics statistics = data::FixedNormalization{}.statistics;
  const Detector plain(net), averaged(net, {}, {}, {}, {.over = 8});
  std::vector<double> wanted(96 * 112, 0.0);
  double largest = 0;
  for (const Orientation& way : kOrientations) {
    const Image other = image_of(reoriented(context, view_of(image), way));
    const Tensor<Cpu> map = plain.map(view_of(other), statistics);
    for (Index y = 0; y < 96; ++y)
      for (Index x = 0; x < 112; ++x) {
        Index row = way.rows_backwards ? 95 - y : y, column = way.columns_backwards ? 111 - x : x;
        if (way.exchanged) std::swap(row, column);
        const double v = static_cast<double>(map.view<const float>()(0, row, column, 0));
        wanted[static_cast<std::size_t>(y * 112 + x)] += v / 8, largest = std::max(largest, std::abs(v));
      }
  }
  const auto found = numbers_of(averaged.map(view_of(image), statistics).view<const float>());
  const auto once = numbers_of(plain.map(view_of(image), statistics).view<const float>());
  double difference = 0, apart = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    difference = std::max(difference, std::abs(found[i] - wanted[i])),
    apart = std::max(apart, std::abs(once[i] - wanted[i]));
  CHECK(difference < 1e-5 * largest);
  CHECK(apart > 0.01 * largest);  // the mean is not what one look gives
}

TEST_CASE("averaged, tiles are as invisible as without, and a mirror image has the mirrored nuclei") {
  Context<Cpu> context({.threads = 2, .seed = 4, .convolution = ConvolutionMethod::direct});
  const Net net(context);
  const detect::LocalMaxima peaks{.radius = 3, .absolute = 0.001f};
  const Image image = data::synthesize({.height = 176, .width = 304, .seed = 3}).image;
  const auto whole = Detector(net, peaks, {}, {}, {.over = 8})(image);
  REQUIRE(whole.size() > 20);
  const auto tiled = Detector(net, peaks, {}, {.cell = 160}, {.over = 8})(image);
  REQUIRE(tiled.size() == whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i)
    CHECK((tiled[i].centre == whole[i].centre && tiled[i].score == whole[i].score));
  const Image mirror = image_of(reoriented(context, view_of(image), {false, false, true}));
  std::size_t met = 0;
  for (const Nucleus& m : Detector(net, peaks, {}, {}, {.over = 8})(mirror))
    for (const Nucleus& n : whole) met += squared_distance({303 - m.centre.x, m.centre.y}, n.centre) < 1e-4;
  CHECK(met == whole.size());
}
