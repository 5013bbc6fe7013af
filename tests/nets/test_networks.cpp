/// The paper's other networks: what they cost, and which sizes they take.
#include <cmath>
#include <utility>

#include "nucdet/nets/attention_unet.hpp"
#include "nucdet/nets/fcn.hpp"
#include "nucdet/nets/fcrn.hpp"
#include "nucdet/nets/frcn.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nets/micronet_mobile.hpp"
#include "nucdet/nets/unet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

/// A network's steps and the names and sizes of its parameters, without their memory: FCN-8s would take half a GiB.
template <Spec S>
struct Outline {
  Outline() {
    ProgramBuilder<Cpu> builder(store);
    const Slot x = builder.input(3);
    program = builder.finish(S::build(builder, std::span(&x, 1)));
  }
  Index parameters() const { return store.parameter_count(); }
  double gigaflop(Index size) const {
    return 1e-9 * static_cast<double>(program.plan({1, size, size, 3}).total_flops());
  }

  Program<Cpu> program;
  ParameterStore<Cpu> store{DType::f32};
};

/// Every size of a range goes through the planner, and some through the network.
template <Spec S>
void check_sizes(Index smallest, Index maps) {
  Context<Cpu> context({.threads = 2});
  const Network<S, 3, Cpu> net(context);
  for (Index h = smallest; h <= smallest + 34; ++h)
    for (Index w = smallest; w <= smallest + 34; ++w) {
      CAPTURE(h, w);
      REQUIRE(net.plan({1, h, w, 3}).shapes.back() == Shape{1, h, w, maps});
    }
  for (Index i = 0; i <= 34; i += 3) {
    const Index h = smallest + i, w = smallest + 34 - i;
    CAPTURE(h, w);
    const auto y = net.forward(context.zeros({1, h, w, 3}));
    REQUIRE(y.shape() == Shape{1, h, w, maps});
    for (Index k = 0; k < y.shape().count(); ++k) REQUIRE(std::isfinite(y.template view<const float>().data[k]));
  }
}

/// One input pixel changed: no output moves that does not see it, and some do that lie far away. Along the width, on
/// which strides fall as on the height, and with sums in one order: Winograd's tiles carry a rounding error further.
template <Spec S>
void check_reach() {
  Context<Cpu> context({.threads = 2, .seed = 5, .convolution = ConvolutionMethod::direct});
  const Network<S, 3, Cpu> net(context);
  const auto reach = net.receptive_field({1, 512, 512, 3});
  const Index width = 704, height = 32, middle = width / 2;
  auto x = context.make({1, height, width, 3});
  testing::fill_random(x, 1);
  const auto before = net.forward(x);
  Index left = 0, right = 0;
  for (Index at = middle; at < middle + net.coarsest_stride({1, 512, 512, 3}); ++at) {
    float& pixel = x.view<float>()(0, height / 2, at, 1);
    const float kept = std::exchange(pixel, 100.0f);
    const auto after = net.forward(x);
    pixel = kept;
    for (Index i = 0; i < height; ++i)
      for (Index j = 0; j < width; ++j)
        if (after.template view<const float>()(0, i, j, 0) != before.template view<const float>()(0, i, j, 0))
          left = std::max(left, at - j), right = std::max(right, j - at);
  }
  CAPTURE(reach.before, reach.after, left, right);
  CHECK((left <= reach.after && right <= reach.before));
  CHECK((2 * left > reach.after && 2 * right > reach.before));
}

}  // namespace

TEST_CASE("FRCN, FCRN-A and FCRN-B have the published numbers of parameters and operations") {
  const Outline<Frcn<>> frcn;
  CHECK(frcn.parameters() == 4'549'063);
  CHECK(frcn.gigaflop(512) == Approx(125.4).epsilon(2e-3));
  CHECK(frcn.gigaflop(200) == Approx(19.1).epsilon(4e-3));
  const Outline<FcrnA<>> a;
  CHECK(a.parameters() == 1'366'784);
  CHECK(a.gigaflop(512) == Approx(48.8).epsilon(2e-3));
  CHECK(a.gigaflop(200) == Approx(7.44).epsilon(2e-3));
  const Outline<FcrnB<>> b;
  CHECK(b.parameters() == 3'673'120);
  CHECK(b.gigaflop(512) == Approx(330).epsilon(2e-3));
  CHECK(b.gigaflop(200) == Approx(50.4).epsilon(2e-3));
  const Outline<FcrnB<FcrnOptions{.variant = FcrnBReading::b}>> other;
  CHECK(other.parameters() == 3'142'688);
  CHECK(other.gigaflop(512) == Approx(361).epsilon(2e-3));
  CHECK(other.gigaflop(200) == Approx(55.1).epsilon(2e-3));
}

TEST_CASE("U-Net and FCN-8s have the published numbers of parameters and operations") {
  const Outline<UNet<>> unet;
  CHECK(unet.parameters() == 31'031'810);
  CHECK(unet.gigaflop(512) == Approx(385).epsilon(2e-3));
  CHECK(unet.gigaflop(200) == Approx(58.4).epsilon(2e-3));
  const Outline<Fcn8s<>> fcn;
  // The published network counts its frozen bilinear kernels: 4x4 twice and 16x16 once, from two maps to two.
  CHECK(fcn.parameters() + 2 * 2 * (2 * 4 * 4 + 16 * 16) == 134'271'430);
  CHECK(fcn.gigaflop(512) == Approx(221.6).epsilon(2e-3));
  CHECK(fcn.gigaflop(200) == Approx(32.9).epsilon(2e-3));
  // A norm adds two numbers a channel; there are five levels of two convolutions down and four of two up.
  CHECK(Outline<UNet<UNetOptions{.norm = true}>>().parameters() - unet.parameters() == 2 * 2 * (2 * 15 + 16) * 64);
}

TEST_CASE("MicroNetLite costs less than a quarter of MicroNet") {
  const Outline<MicroNetLite<>> lite;
  CHECK(lite.parameters() == 1'336'705);
  CHECK(lite.gigaflop(512) == Approx(15.94).epsilon(1e-3));
  CHECK(4 * lite.gigaflop(512) < Outline<MicroNet<MicroNetOptions{.base = 16}>>().gigaflop(512));
  CHECK(4 * Outline<MicroNetLite<MicroNetLiteOptions{.base = 64}>>().gigaflop(512) <
        Outline<MicroNet<>>().gigaflop(512));
}

TEST_CASE("the attention U-Net and the mobile MicroNet have the parameters of their twins in PyTorch") {
  CHECK(Outline<AttentionUNet<>>().parameters() == 8'282'980);
  const Outline<MicroNetMobile<>> mobile;
  CHECK(mobile.parameters() == 388'145);
  CHECK(30 * mobile.parameters() < Outline<MicroNet<>>().parameters());
}

TEST_CASE("every height and width from the smallest on comes out as it went in") {
  check_sizes<Frcn<FrcnOptions{.base = 1}>>(16, 1);
  check_sizes<Frcn<FrcnOptions{.base = 1, .maps = 2}>>(16, 2);
  check_sizes<FcrnA<FcrnOptions{.base = 1}>>(8, 1);
  check_sizes<FcrnB<FcrnOptions{.base = 1}>>(4, 1);
  check_sizes<FcrnB<FcrnOptions{.base = 1, .maps = 3, .variant = FcrnBReading::b}>>(4, 3);
  check_sizes<UNet<UNetOptions{.base = 1}>>(16, 2);
  check_sizes<UNet<UNetOptions{.base = 1, .maps = 1, .norm = true}>>(16, 1);
  check_sizes<Fcn8s<FcnOptions{.base = 1, .hidden = 4}>>(32, 2);
  check_sizes<Fcn8s<FcnOptions{.base = 1, .hidden = 4, .maps = 1, .norm = true}>>(32, 1);
  check_sizes<MicroNetLite<MicroNetLiteOptions{.base = 2}>>(16, 1);
  check_sizes<AttentionUNet<AttentionUNetOptions{.base = 1, .maps = 2}>>(16, 2);
  check_sizes<MicroNetMobile<MicroNetMobileOptions{.base = 4}>>(16, 1);
}

TEST_CASE("no input beyond a network's reach matters") {
  check_reach<Frcn<FrcnOptions{.base = 2}>>();
  check_reach<FcrnA<FcrnOptions{.base = 2}>>();
  check_reach<FcrnB<FcrnOptions{.base = 2}>>();
  check_reach<FcrnB<FcrnOptions{.base = 2, .variant = FcrnBReading::b}>>();
  check_reach<UNet<UNetOptions{.base = 2, .norm = true}>>();
  check_reach<Fcn8s<FcnOptions{.base = 2, .hidden = 8, .norm = true}>>();
  check_reach<MicroNetLite<MicroNetLiteOptions{.base = 2}>>();
  check_reach<AttentionUNet<AttentionUNetOptions{.base = 2}>>();
}

TEST_CASE("what a network with a global gate gives depends on the whole image, and it says so") {
  const Outline<MicroNetMobile<MicroNetMobileOptions{.base = 4}>> net;
  const auto extents = net.program.extents({1, 512, 512, 3});
  CHECK(extents.back().low == -std::numeric_limits<double>::infinity());
  CHECK(extents.back().high == std::numeric_limits<double>::infinity());
}

TEST_CASE("a size below the smallest is an error that names a block") {
  CHECK_THROWS_AS(Outline<Frcn<>>().program.plan({1, 15, 64, 3}), ShapeError);
  CHECK_THROWS_AS(Outline<FcrnA<>>().program.plan({1, 7, 64, 3}), ShapeError);
  CHECK_THROWS_AS(Outline<FcrnB<>>().program.plan({1, 64, 3, 3}), ShapeError);
  CHECK_THROWS_AS(Outline<UNet<>>().program.plan({1, 15, 64, 3}), ShapeError);
  CHECK_THROWS_AS(Outline<Fcn8s<>>().program.plan({1, 64, 31, 3}), ShapeError);
  CHECK_THROWS_WITH(Outline<MicroNetLite<>>().program.plan({1, 15, 64, 3}), Catch::Matchers::Contains("node 'down3"));
}
