/// A part of a network's outputs is that part of the whole outputs, to the bit, wherever it lies; and it costs less.
#include <algorithm>

#include "nucdet/core/rng.hpp"
#include "nucdet/nets/attention_unet.hpp"
#include "nucdet/nets/fcn.hpp"
#include "nucdet/nets/fcrn.hpp"
#include "nucdet/nets/frcn.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nets/micronet_mobile.hpp"
#include "nucdet/nets/unet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

bool same_pixels(const Tensor<Cpu>& a, const Tensor<Cpu>& b) {
  if (a.shape() != b.shape()) return false;
  const auto x = a.view<const float>(), y = b.view<const float>();
  for (Index n = 0; n < x.shape.n; ++n)
    for (Index r = 0; r < x.shape.h; ++r)
      for (Index c = 0; c < x.shape.w; ++c)
        if (!std::equal(x.pixel(n, r, c), x.pixel(n, r, c) + x.shape.c, y.pixel(n, r, c))) return false;
  return true;
}

Tensor<Cpu> noise(Context<Cpu>& context, const Shape& shape, RandomStream& rng) {
  Tensor<Cpu> x = context.make(shape);
  float* const values = x.view<float>().data;
  for (Index i = 0; i < shape.count(); ++i) values[i] = static_cast<float>(rng.uniform(-1, 1));
  return x;
}

/// Parts at the corners, along the edges, within, of one pixel; of maps of which height and width differ.
std::vector<Rectangle> parts_of(const Shape& s, RandomStream& rng) {
  std::vector<Rectangle> parts{{0, 0, 1, 1}, {s.w - 1, s.h - 1, 1, 1}, {0, s.h / 2, s.w, 3}, {s.w / 2, 0, 2, s.h}};
  for (int i = 0; i < 12; ++i) {
    const Index w = 1 + static_cast<Index>(rng.uniform(0, 60)), h = 1 + static_cast<Index>(rng.uniform(0, 60));
    parts.push_back({static_cast<Index>(rng.uniform(0, static_cast<double>(s.w - w))),
                     static_cast<Index>(rng.uniform(0, static_cast<double>(s.h - h))), w, h});
  }
  return parts;
}

/// in_parts: false for a network that looks at whole maps, whose outputs alone are cut.
template <Spec S>
void check_parts(Index stride, bool in_parts = true, const cpu::Kernels* kernels = cpu::best_kernels()) {
  Context<Cpu> context({.threads = 2, .seed = 5, .kernels = kernels, .convolution = ConvolutionMethod::direct});
  const Network<S, 3, Cpu> net(context);
  const InferenceProgram<Cpu> fused = for_inference(net);
  const Shape shape{2, 18 * stride, 21 * stride, 3};
  RandomStream rng{3};
  const Tensor<Cpu> x = noise(context, shape, rng);
  Workspace<Cpu> of_whole, of_part;
  const std::vector<Tensor<Cpu>> whole = fused.program.forward(context, of_whole, x);
  for (const Rectangle& wanted : parts_of(shape, rng)) {
    CAPTURE(wanted.x, wanted.y, wanted.width, wanted.height);
    const Plan plan = fused.program.plan(shape, wanted);
    REQUIRE(plan.parts.empty() != in_parts);
    const std::vector<Tensor<Cpu>>& part = fused.program.forward(context, of_part, x, {}, wanted);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const Shape& s = whole[i].shape();
      const Index by = shape.h / s.h, left = wanted.x / by, top = wanted.y / by;
      const Index right = (wanted.x + wanted.width + by - 1) / by, bottom = (wanted.y + wanted.height + by - 1) / by;
      REQUIRE(same_pixels(part[i], whole[i].window(top, left, bottom - top, right - left)));
    }
  }
  if (!in_parts) return;
  const Index side = 8 * stride;
  const Plan middle = fused.program.plan(shape, {5 * stride, 5 * stride, side, side}), all = fused.program.plan(shape);
  CHECK(middle.total_flops() < all.total_flops());
  CHECK(middle.peak_elements <= all.peak_elements);
}

}  // namespace

TEST_CASE("a part of the outputs is that part of the whole") {
  SECTION("MicroNet") { check_parts<MicroNet<MicroNetOptions{.base = 4}>>(16); }
  SECTION("MicroNetLite") { check_parts<MicroNetLite<MicroNetLiteOptions{.base = 8}>>(16); }
  SECTION("MicroNetLite, by the headers' own sums") {
    check_parts<MicroNetLite<MicroNetLiteOptions{.base = 8}>>(16, true, nullptr);
  }
  SECTION("MicroNetLite with classes") { check_parts<MicroNetLite<MicroNetLiteOptions{.base = 8, .classes = 3}>>(16); }
  SECTION("MicroNetMobile") { check_parts<MicroNetMobile<MicroNetMobileOptions{.base = 8}>>(16, false); }
  SECTION("FRCN") { check_parts<Frcn<FrcnOptions{.base = 4}>>(16); }
  SECTION("FCRN-A") { check_parts<FcrnA<FcrnOptions{.base = 4}>>(8); }
  SECTION("FCRN-B") { check_parts<FcrnB<FcrnOptions{.base = 4}>>(4); }
  SECTION("U-Net") { check_parts<UNet<UNetOptions{.base = 4}>>(16); }
  SECTION("FCN-8s") { check_parts<Fcn8s<FcnOptions{.base = 4, .hidden = 8}>>(32); }
  SECTION("a U-Net with attention") { check_parts<AttentionUNet<AttentionUNetOptions{.base = 4}>>(16); }
}
