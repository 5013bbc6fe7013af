/// Every layer's gradient against central differences in double, through a one-layer network.
#include "nucdet/nets/blocks.hpp"
#include "nucdet/nets/gates.hpp"
#include "nucdet/nn/layers.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

template <Spec S, int Channels = 3>
double error_of(const Shape& shape, Mode mode = Mode::training) {
  Context<Cpu> context({.threads = 2, .seed = 4});
  Network<S, Channels, Cpu> net(context, DType::f64);
  return testing::worst_gradient_error(net, shape, mode);
}

/// Two readers of one value, so that gradients meet and are added.
template <Spec S>
struct Twice : Graph<Node<"a", Conv<3, 1>>, Node<"b", S>, Node<"c", Add<Identity, Identity>, From<"a", "b">>> {};

constexpr double kTolerance = 1e-7;

/// An initialiser of one's own.
struct Centre {
  static constexpr std::uint64_t draws = 1;
  double operator()(RandomStream& random, Index fan_in) const {
    return random.uniform(0, 1) + static_cast<double>(fan_in);
  }
};

/// What up-sampling says it looks away, against what moves when an input pixel far from the border does.
template <int Factor, Interpolation How>
void check_extent() {
  CAPTURE(Factor);
  Context<Cpu> context({.threads = 1});
  const Network<Upsample<Factor, How>, 1, Cpu> net(context);
  const Index size = 7, at = 3;
  auto x = context.zeros({1, 1, size, 1});
  x.view<float>()(0, 0, at, 0) = 1;
  const auto y = net.forward(x);
  double low = 1e9, high = -1e9;
  for (Index u = 0; u < size * Factor; ++u)
    if (y.template view<const float>()(0, 0, u, 0) != 0) {
      const double place = static_cast<double>(u) / static_cast<double>(Factor);
      low = std::min(low, static_cast<double>(at) - place), high = std::max(high, static_cast<double>(at) - place);
    }
  const Extent found = net.program().extents(x.shape()).back();
  CHECK(found.scale == Approx(1.0 / Factor));
  CHECK(found.low == Approx(low).margin(1e-12));
  CHECK(found.high == Approx(high).margin(1e-12));
}

}  // namespace

TEST_CASE("gradients of convolution layers") {
  CHECK(error_of<Conv<4, 3>>({2, 5, 4, 3}) < kTolerance);
  CHECK(error_of<Conv<2, 5>>({1, 3, 7, 3}) < kTolerance);
  CHECK(error_of<Conv<2, 1>>({2, 1, 1, 3}) < kTolerance);
  CHECK(error_of<Conv<4, 3, ConvOptions{.stride = 2}>>({1, 7, 6, 3}) < kTolerance);
  CHECK(error_of<Conv<4, 3, ConvOptions{.stride = 2, .rounding = ops::Rounding::ceil}>>({1, 7, 6, 3}) < kTolerance);
  CHECK(error_of<Conv<2, 4, ConvOptions{.stride = 2, .pad = 1}>>({1, 6, 7, 3}) < kTolerance);
  CHECK(error_of<Conv<kSame, 3, ConvOptions{.pad = 0}>>({1, 5, 5, 3}) < kTolerance);
}

TEST_CASE("gradients of transposed convolution layers, all context variants") {
  CHECK(error_of<TransposedConv<2, 3>>({2, 3, 4, 3}) < kTolerance);
  CHECK(error_of<TransposedConv<2, 2, TransposedConvOptions{.pad = 0, .output_pad = 0}>>({1, 3, 3, 3}) < kTolerance);
  CHECK(error_of<UpUnit<2, 4, BatchNorm, UpKernel::sparse3>>({1, 3, 2, 3}) < kTolerance);
  CHECK(error_of<UpUnit<2, 4, BatchNorm, UpKernel::two_s>>({1, 2, 3, 3}) < kTolerance);
  CHECK(error_of<UpUnit<2, 4, BatchNorm, UpKernel::bilinear_1x1>>({1, 3, 2, 3}) < kTolerance);
}

TEST_CASE("gradients of normalisation layers") {
  CHECK(error_of<BatchNorm>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<BatchNorm>({2, 4, 3, 3}, Mode::inference) < kTolerance);
  CHECK(error_of<BatchStats>({2, 4, 3, 3}, Mode::inference) < kTolerance);
  CHECK(error_of<InstanceNorm>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Normalization<Statistics::instance, NormOptions{.affine = true}>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Normalization<Statistics::running, NormOptions{.epsilon = 0.1, .momentum = 0.5, .affine = false}>>(
            {2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<GroupNorm<1>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<GroupNorm<3>, 6>({2, 4, 3, 6}) < kTolerance);
  CHECK(error_of<GroupNorm<2, NormOptions{.epsilon = 1e-3, .affine = false}>, 6>({1, 2, 5, 6}, Mode::inference) <
        kTolerance);
}

TEST_CASE("gradients of activations, dropout, pools and up-sampling") {
  CHECK(error_of<Elu>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Relu>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<LeakyRelu<0.2f>>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Sigmoid>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<ScaledSigmoid<5.0f>>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Scale<0.3f>>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Gelu>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Silu>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<ChannelDropout<0.5f>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<ChannelDropout<0.5f>>({2, 4, 3, 3}, Mode::inference) < kTolerance);
  CHECK(error_of<Dropout<0.5f>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Dropout<0.5f>>({2, 4, 3, 3}, Mode::inference) < kTolerance);
  CHECK(error_of<MaxPool<2>>({2, 5, 4, 3}) < kTolerance);
  CHECK(error_of<MaxPool<Axes(2, 3), PoolOptions{.stride = Axes(2, 1)}>>({2, 5, 4, 3}) < kTolerance);
  CHECK(error_of<AveragePool<Axes(1, 2)>>({1, 5, 4, 3}) < kTolerance);
  CHECK(error_of<GlobalMaxPool>({2, 5, 4, 3}) < kTolerance);
  CHECK(error_of<GlobalAveragePool>({2, 5, 4, 3}) < kTolerance);
  CHECK(error_of<PixelShuffle<2>, 8>({2, 2, 3, 8}) < kTolerance);
  CHECK(error_of<MaxPool<3, PoolOptions{.stride = 1}>>({1, 5, 4, 3}) < kTolerance);
  CHECK(error_of<AveragePool<2>>({2, 5, 4, 3}) < kTolerance);
  CHECK(error_of<AveragePool<3, PoolOptions{.stride = 2}>>({1, 7, 5, 3}) < kTolerance);
  CHECK(error_of<Upsample<2>>({1, 3, 4, 3}) < kTolerance);
  CHECK(error_of<Upsample<3, Interpolation::nearest>>({1, 3, 4, 3}) < kTolerance);
}

TEST_CASE("gradients of convolutions with gaps, groups and rectangles, and with another start") {
  CHECK(error_of<Conv<4, 3, ConvOptions{.dilation = 2}>>({2, 6, 5, 3}) < kTolerance);
  CHECK(error_of<Conv<4, 3, ConvOptions{.stride = 2, .dilation = Axes(3, 2)}>>({1, 9, 8, 3}) < kTolerance);
  CHECK(error_of<Conv<4, Axes(3, 1), ConvOptions{.stride = Axes(1, 2)}>>({1, 5, 6, 3}) < kTolerance);
  CHECK(error_of<Conv<4, 3, ConvOptions{.groups = 2}>, 6>({1, 5, 4, 6}) < kTolerance);
  CHECK(error_of<Conv<kSame * 2, 3, ConvOptions{.groups = kSame}>>({1, 5, 4, 3}) < kTolerance);
  CHECK(error_of<DepthwiseConv<3>, 5>({2, 5, 4, 5}) < kTolerance);
  CHECK(error_of<DepthwiseConv<5, ConvOptions{.stride = 2, .bias = Bias::without, .dilation = 2}>>({1, 11, 9, 3}) <
        kTolerance);
  CHECK(error_of<Conv<4, 3, ConvOptions{}, KaimingUniform>>({1, 4, 5, 3}) < kTolerance);
  CHECK(error_of<TransposedConv<2, Axes(3, 2), TransposedConvOptions{.stride = Axes(2, 1), .output_pad = Axes(1, 0)}>>(
            {1, 3, 4, 3}) < kTolerance);
}

TEST_CASE("gradients of layer norm, products of maps and gates") {
  CHECK(error_of<LayerNorm<>, 5>({2, 3, 4, 5}) < kTolerance);
  CHECK(error_of<LayerNorm<1e-2>, 5>({1, 1, 1, 5}, Mode::inference) < kTolerance);
  CHECK(error_of<Multiply<Conv<3, 3>, Identity>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Multiply<Identity, Conv<1, 3>>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Multiply<Identity, Sequential<GlobalAveragePool, Conv<3, 1>>>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Multiply<Identity, Sequential<GlobalMaxPool, Conv<1, 1>>>>({2, 4, 3, 3}) < kTolerance);
  CHECK(error_of<SqueezeExcite<2>, 4>({2, 4, 3, 4}) < kTolerance);
  CHECK(error_of<DepthwiseUnit<4, 3, 2>>({2, 6, 5, 3}) < kTolerance);
  struct Gated
      : Graph<Node<"low", Conv<2, 3, ConvOptions{.stride = 2}>>, Node<"gate", AttentionGate<4>, From<"input", "low">>> {
  };
  CHECK(error_of<Gated>({1, 6, 8, 3}) < kTolerance);
  CHECK(error_of<Gated>({2, 7, 5, 3}) < kTolerance);
}

TEST_CASE("a weight starts as its initialiser says") {
  static_assert(Initializer<Centre> && Initializer<HeNormal> && !Initializer<int>);
  Context<Cpu> context({.threads = 2, .seed = 4});
  const Network<Conv<4, Axes(3, 1), ConvOptions{.groups = 2}, Centre>, 6, Cpu> net(context);
  const ParameterEntry& weight = net.parameters()->entries()[0];
  CHECK(weight.shape == std::vector<Index>{4, 3, 1, 3});
  float low = 1e9f, high = -1e9f;
  for (Index i = 0; i < weight.count; ++i) {
    const float value = net.parameters()->values().view<const float>().data[weight.offset + i];
    low = std::min(low, value), high = std::max(high, value);
  }
  CHECK(low >= 9.0f);  // 3 rows of 3 channels
  CHECK(high < 10.0f);
  CHECK(high - low > 0.5f);
}

TEST_CASE("up-sampling looks as far as it says, by any factor") {
  check_extent<1, Interpolation::bilinear>();
  check_extent<2, Interpolation::bilinear>();
  check_extent<3, Interpolation::bilinear>();
  check_extent<4, Interpolation::bilinear>();
  check_extent<5, Interpolation::bilinear>();
  check_extent<8, Interpolation::bilinear>();
  check_extent<1, Interpolation::nearest>();
  check_extent<2, Interpolation::nearest>();
  check_extent<5, Interpolation::nearest>();
}

TEST_CASE("gradients of combinations, with sizes brought together") {
  CHECK(error_of<Residual<Conv<3, 3>>>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Twice<Conv<3, 3>>>({1, 4, 3, 3}) < kTolerance);
  CHECK(error_of<Twice<ChannelDropout<0.5f>>>({1, 4, 3, 3}, Mode::inference) < kTolerance);
  CHECK(error_of<Concat<Conv<2, 3>, Identity, Conv<1, 1>>>({2, 4, 3, 3}) < kTolerance);
  // Padding, cropping, and both at once.
  CHECK(error_of<ConcatTo<1, UpUnit<2, 4>, Identity>>({1, 3, 2, 3}) < kTolerance);
  CHECK(error_of<ConcatTo<0, Identity, Conv<2, 3, ConvOptions{.stride = 2}>>>({1, 7, 5, 3}) < kTolerance);
  CHECK(error_of<ConcatTo<0, Conv<2, 5, ConvOptions{.pad = 0}>, Identity>>({1, 8, 9, 3}) < kTolerance);
  CHECK(error_of<AddTo<0, Identity, Conv<3, 3, ConvOptions{.pad = 0}>, Upsample<2>>>({1, 5, 6, 3}) < kTolerance);
  CHECK(error_of<ResidualDown<4, 2>>({1, 7, 6, 3}) < kTolerance);
}
