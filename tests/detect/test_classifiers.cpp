// Networks with two maps, background and nucleus, and networks of other strides than MicroNet's.
#include <cmath>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/nets/fcn.hpp"
#include "nucdet/nets/fcrn.hpp"
#include "nucdet/nets/unet.hpp"
#include "nucdet/nn/network.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using Catch::Matchers::Contains;
using detect::Detector;
using detect::LocalMaxima;
using nucdet_test::numbers_of;

namespace {

using UNet = nn::Network<nn::UNet<nn::UNetOptions{.base = 4, .norm = true}>, 3, Cpu>;
using Fcn = nn::Network<nn::Fcn8s<nn::FcnOptions{.base = 1, .hidden = 4, .norm = true}>, 3, Cpu>;

constexpr LocalMaxima kPeaks{.radius = 3, .absolute = 0, .full_scale = 1};

/// Sums in one order whatever the tile: results can be compared bit for bit.
Context<Cpu> plain_sums() { return Context<Cpu>({.threads = 2, .seed = 4, .convolution = ConvolutionMethod::direct}); }

bool same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Nucleus& i, const Nucleus& j) { return i.centre == j.centre && i.score == j.score; });
}

Tensor<Cpu> map_of(const Detector<Cpu>& detector, const Image& image) {
  const View<const float> view = view_of(image);
  return detector.map(view, detector.statistics(view));
}

/// Points and map are those of the whole image, for cells of `size`.
template <class Net>
void check_tiles(const Net& net, const LocalMaxima& peaks, const Image& image, Index size) {
  const Detector whole(net, peaks);
  const auto nuclei = whole(image);
  const auto map = numbers_of(map_of(whole, image).template view<const float>());
  CHECK(nuclei.size() > 20);
  for (const bool uniform : {false, true}) {
    CAPTURE(size, uniform);
    const Detector tiled(net, peaks, {}, {.cell = size, .uniform = uniform});
    CHECK(same(tiled(image), nuclei));
    CHECK((numbers_of(map_of(tiled, image).template view<const float>()) == map));
  }
}

}  // namespace

TEST_CASE("a head that names an output which is not there is refused") {
  const Context<Cpu>::Options options{.threads = 1};
  Context<Cpu> context(options);
  const UNet net(context);
  nn::InferenceProgram<Cpu> program = nn::for_inference(net);
  program.head.map = "density";
  CHECK_THROWS_WITH(Detector<Cpu>(context, std::make_shared<const nn::InferenceProgram<Cpu>>(program), kPeaks),
                    Contains("the output 'density'"));
  program.head.map = program.program.outputs()[0].name;
  CHECK(Detector<Cpu>(context, std::make_shared<const nn::InferenceProgram<Cpu>>(program), kPeaks).tiles().cell > 0);
}

TEST_CASE("the map of a pixel classifier is the softmax's probability of a nucleus") {
  Context<Cpu> context({.threads = 2});
  Tensor<Cpu> output = context.make({2, 3, 5, 2});
  RandomStream random{3};
  for (Index i = 0; i < output.shape().count(); ++i)
    output.view<float>().data[i] = static_cast<float>(random.uniform(-9, 9));
  output.view<float>().data[0] = 1000, output.view<float>().data[3] = 1000;  // nothing overflows
  const Tensor<Cpu> map = detect::nucleus_map(context, nn::Head::Kind::softmax, output);
  REQUIRE(map.shape() == Shape{2, 3, 5, 1});
  for (Index i = 0; i < map.shape().count(); ++i) {
    const double o0 = static_cast<double>(output.view<float>().data[2 * i]),
                 o1 = static_cast<double>(output.view<float>().data[2 * i + 1]), top = std::max(o0, o1);
    const float p = map.view<const float>().data[i];
    CHECK((p >= 0 && p <= 1));
    CHECK(static_cast<double>(p) ==
          Approx(std::exp(o1 - top) / (std::exp(o0 - top) + std::exp(o1 - top))).epsilon(1e-5).margin(1e-30));
  }
  const Tensor<Cpu> one = context.zeros({1, 2, 2, 1});
  CHECK(detect::nucleus_map(context, nn::Head::Kind::proximity, one).view<const float>().data ==
        one.view<const float>().data);
  CHECK_THROWS_AS(detect::nucleus_map(context, nn::Head::Kind::density, context.zeros({1, 2, 2, 3})), ShapeError);
}

TEST_CASE("a detector on two maps: the map of the plain network, smoothed, and its peaks") {
  Context<Cpu> context({.threads = 2, .seed = 4});
  const UNet net(context);
  const Image image = data::synthesize({.height = 96, .width = 112, .seed = 3}).image;
  const Tensor<Cpu> map = map_of(Detector(net, kPeaks), image);
  REQUIRE(map.shape() == Shape{1, 96, 112, 1});
  Tensor<Cpu> x = context.make({1, 96, 112, 3});
  const View<const float> view = view_of(image);
  data::normalize(context, view, data::FixedNormalization{}.statistics, x.view<float>());
  const Tensor<Cpu> plain = detect::nucleus_map(context, net.head().kind, net.forward(x));
  for (Index i = 0; i < map.shape().count(); ++i) {
    const float p = map.view<const float>().data[i];
    REQUIRE((p >= 0 && p <= 1));
    REQUIRE(p == Approx(plain.view<const float>().data[i]).margin(1e-4));
  }
  LocalMaxima smoothing = kPeaks;
  smoothing.smoothing = 2;
  const auto nuclei = Detector(net, smoothing)(image);
  const auto wanted = detect::find_peaks(context, map.view<const float>(), smoothing);
  REQUIRE(nuclei.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {  // the way from and to the image's own pixels rounds
    CHECK(std::abs(nuclei[i].centre.x - wanted[i].centre.x) < 1e-9);
    CHECK(std::abs(nuclei[i].centre.y - wanted[i].centre.y) < 1e-9);
    CHECK(nuclei[i].score == wanted[i].score);
  }
  CHECK(nuclei.size() < Detector(net, kPeaks)(image).size());
  CHECK(!nuclei.empty());
}

TEST_CASE("tiles of a pixel classifier, smoothed or not, are invisible in points and map") {
  Context<Cpu> context = plain_sums();
  const UNet net(context);
  const Image image = data::synthesize({.height = 433, .width = 350, .seed = 3}).image;
  const auto smoothing = GENERATE(0.0, 2.0);
  LocalMaxima peaks = kPeaks;
  peaks.smoothing = smoothing;
  check_tiles(net, peaks, image, 208);
}

TEST_CASE("margins and strides follow the network: 32 pixels in FCN-8s, 4 in FCRN-B") {
  Context<Cpu> context = plain_sums();
  const Fcn fcn(context);
  const Shape large{1, 512, 512, 3};
  CHECK(fcn.coarsest_stride(large) == 32);
  const auto reach = fcn.receptive_field(large);
  const Index margin = data::round_up(std::max(reach.before, reach.after) + kPeaks.reach() + 1, 32);
  CAPTURE(reach.before, reach.after, margin);
  const Image image = data::synthesize({.height = 70, .width = 2 * margin + 200, .seed = 3}).image;
  check_tiles(fcn, kPeaks, image, 64);
  CHECK_THROWS_WITH(Detector(fcn, kPeaks, {}, {.cell = 16})(image), Contains("multiples of 32"));
  CHECK_THROWS_WITH(Detector(fcn, kPeaks, {}, {.cell = 48})(image), Contains("multiples of 32"));
  CHECK_THROWS_WITH(Detector(fcn, kPeaks, {}, {.cell = 64, .margin = margin + 16})(image), Contains("multiples of 32"));
  CHECK_THROWS_WITH(Detector(fcn, kPeaks, {}, {.margin = margin - 32}), Contains("must be at least"));
  CHECK_NOTHROW(Detector(fcn, kPeaks, {}, {.margin = margin}));

  const nn::Network<nn::FcrnB<nn::FcrnOptions{.base = 2}>, 3, Cpu> fcrn(context);
  CHECK(fcrn.coarsest_stride(large) == 4);
  check_tiles(fcrn, kPeaks, image, 60);
}

TEST_CASE("regions are sought in the whole map, however it is cut, and given in the image's own pixels") {
  Context<Cpu> context = plain_sums();
  const UNet net(context);
  const Image image = data::synthesize({.height = 130, .width = 320, .seed = 8}).image;
  const Detector whole(net, kPeaks), tiled(net, kPeaks, {}, {.cell = 192});
  const Tensor<Cpu> map = map_of(whole, image);
  const detect::ComponentCentroids regions{.threshold = 0.5f, .least_area = 3};
  auto wanted = regions(map.view<const float>());
  for (Nucleus& n : wanted) n.centre = data::to_source(n.centre, 1.0);
  REQUIRE(wanted.size() > 5);
  CHECK(same(whole(image, 1.0, regions), wanted));
  CHECK(same(tiled(image, 1.0, regions), wanted));
  const auto enlarged = whole(image, 2.0, regions);  // sought at twice the size
  CHECK(!enlarged.empty());
  for (const Nucleus& n : enlarged) CHECK((n.centre.x <= 320 && n.centre.y <= 130));
}
