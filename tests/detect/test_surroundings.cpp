// What is found in tissue does not depend on what lies further away than the network sees: margins, crops, tiles,
// glass. Random weights; normalised by the whole image, as version 0.1 did, every one of these properties fails.
#include "nucdet/core/rng.hpp"
#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using detect::Detector;
using Surrounded = nn::Network<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = 8}>, 3, Cpu>;

namespace {

const data::Normalization kFixed = data::FixedNormalization{}, kImage = data::ImageNormalization{};

Image tissue(Index height, Index width, std::uint64_t seed) {
  return data::synthesize({.height = height, .width = width, .seed = seed}).image;
}

void paste(const Image& piece, Image& onto, Index y, Index x) {
  for (std::size_t r = 0; r < piece.shape(0); ++r)
    for (std::size_t c = 0; c < piece.shape(1); ++c)
      for (std::size_t k = 0; k < 3; ++k)
        onto(r + static_cast<std::size_t>(y), c + static_cast<std::size_t>(x), k) = piece(r, c, k);
}

/// The lowest and the highest response to what lies further than the margin from an image's border.
std::pair<float, float> range_of(const Detector<Cpu>& detector, const Image& image) {
  const View<const float> view = view_of(image);
  const Tensor<Cpu> map = detector.map(view, detector.statistics(view));
  const Index margin = detector.tiles().margin;
  std::pair<float, float> range(1e9f, -1e9f);
  for (Index y = margin; y < view.shape.h - margin; ++y)
    for (Index x = margin; x < view.shape.w - margin; ++x) {
      const float v = map.view<const float>()(0, y, x, 0);
      range = {std::min(range.first, v), std::max(range.second, v)};
    }
  return range;
}

/// Sets the last convolution so that the responses to this image fill [0, 5].
void spread(Surrounded& net, const Image& image) {
  const auto [low, high] = range_of(Detector(net), image);
  const float factor = 5 / (high - low);
  float* values = net.parameters()->values().view<float>().data;
  for (const nn::ParameterEntry& e : net.parameters()->entries()) {
    if (e.statistic || e.shape[0] != 1) continue;
    for (Index i = e.offset; i < e.offset + e.count; ++i)
      values[i] = (e.shape.size() == 1 ? values[i] - low : values[i]) * factor;
  }
}

/// The nuclei of an image that lie further than the margin from the borders of a rectangle, seen from its corner.
std::vector<Nucleus> well_inside(const Detector<Cpu>& detector, const Image& image, const detect::Rectangle& r) {
  const Index margin = detector.tiles().margin;
  const detect::Rectangle inner{r.x + margin, r.y + margin, r.width - 2 * margin, r.height - 2 * margin};
  std::vector<Nucleus> found;
  for (Nucleus n : detector(image))
    if (inner.holds(n.centre.x, n.centre.y)) {
      n.centre.x -= static_cast<double>(r.x), n.centre.y -= static_cast<double>(r.y);
      found.push_back(n);
    }
  return found;
}

/// A threshold between the scores of two nuclei well inside the image, the 12th and the 13th.
detect::LocalMaxima peaks_for(const Surrounded& net, const Image& image) {
  detect::LocalMaxima peaks{.radius = 3, .absolute = 0};
  auto all = well_inside(Detector(net, peaks), image, {0, 0, view_of(image).shape.w, view_of(image).shape.h});
  REQUIRE(all.size() > 12);
  std::sort(all.begin(), all.end(), [](const Nucleus& a, const Nucleus& b) { return a.score > b.score; });
  peaks.set_threshold(static_cast<double>(all[11].score + all[12].score) / 2);
  return peaks;
}

/// The same scores to the bit with plain sums, else within 1e-5 of the full scale.
bool same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b, bool exact) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const Nucleus& i, const Nucleus& j) {
    return squared_distance(i.centre, j.centre) < (exact ? 1e-18 : 1e-4) &&
           std::abs(i.score - j.score) <= (exact ? 0.0f : 1e-5f);
  });
}

}  // namespace

TEST_CASE("tissue has the same nuclei alone, between margins of white, black and grey, and as a crop of more tissue") {
  const bool exact = GENERATE(true, false);
  Context<Cpu> context(
      {.threads = 2, .seed = 4, .convolution = exact ? ConvolutionMethod::direct : ConvolutionMethod::automatic});
  Surrounded net(context);
  constexpr Index kSize = 464, kX = 112, kY = 64;  // multiples of the coarsest stride
  const Image piece = tissue(kSize, kSize, 3);
  spread(net, piece);
  const detect::LocalMaxima peaks = peaks_for(net, piece);
  std::vector<Image> wholes;
  for (const float value : {1.0f, 0.0f, 0.5f}) wholes.push_back(make_image(608, 640, 3, value));
  wholes.push_back(tissue(608, 640, 8));
  for (Image& whole : wholes) paste(piece, whole, kY, kX);
  for (const data::Normalization& rule : {kFixed, kImage}) {
    const Detector detector(net, peaks, rule, {.cell = 512});
    const auto alone = well_inside(detector, piece, {0, 0, kSize, kSize});
    CHECK(alone.size() >= (rule.index() == kFixed.index() ? 12u : 1u));
    for (const Image& whole : wholes) {
      CAPTURE(exact, data::name_of(rule), whole(0, 0, 0));
      CHECK(same(well_inside(detector, whole, {kX, kY, kSize, kSize}), alone, exact) ==
            (rule.index() == kFixed.index()));
    }
  }
}

TEST_CASE("with plain sums, also the headers' own, cells of any size give the same bits", "[long]") {
  const auto kernels = GENERATE(cpu::best_kernels(), static_cast<const cpu::Kernels*>(nullptr));
  Context<Cpu> context({.threads = 2, .seed = 4, .kernels = kernels, .convolution = ConvolutionMethod::direct});
  Surrounded net(context);
  const Image image = tissue(330, 401, 3);
  spread(net, image);
  const detect::LocalMaxima peaks = peaks_for(net, image);
  const auto whole = Detector(net, peaks)(image);
  for (const Index cell : {96, 208, 352}) CHECK(same(Detector(net, peaks, {}, {.cell = cell})(image), whole, true));
}

TEST_CASE("glass with mild noise has about the same response everywhere") {
  Context<Cpu> context({.threads = 2, .seed = 4});
  Surrounded net(context);
  spread(net, tissue(304, 304, 3));
  Image glass = make_image(432, 432, 3, 0.93f);
  RandomStream random{7};
  for (float& v : glass) v += static_cast<float>(random.uniform(-0.003, 0.003));
  const auto range = [&](const data::Normalization& rule) {
    const auto [low, high] = range_of(Detector(net, {}, rule), glass);
    return high - low;
  };
  // Of 5 in tissue. Random weights answer to noise more than trained ones.
  CHECK(range(kFixed) < 0.75f);
  CHECK(range(kImage) > 2.0f);
}
