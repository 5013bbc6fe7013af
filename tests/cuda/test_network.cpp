// Whole networks on a CUDA device against the CPU: the same weights, maps, gradients and files.
#include <filesystem>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/nets/attention_unet.hpp"
#include "nucdet/nets/fcrn.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nets/micronet_mobile.hpp"
#include "nucdet/nets/unet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"

#include "cuda/support/device_arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr nn::MicroNetOptions kSmall{.base = 2};
constexpr nn::MicroNetOptions kOther{.base = 2,
                                     .context = nn::UpKernel::bilinear_1x1,
                                     .statistics = nn::Statistics::instance,
                                     .rounding = ops::Rounding::ceil};

/// Everything a network can hold beside what MicroNet has.
struct Mixed : nn::Graph<nn::Node<"stem", nn::Sequential<nn::Conv<6, 3>, nn::LeakyRelu<0.1f>>>,
                         nn::Node<"pool", nn::Sequential<nn::MaxPool<2>, nn::Conv<6, 3>, nn::Relu>>,
                         nn::Node<"mean", nn::AveragePool<2>, nn::From<"stem">>,
                         nn::Node<"sum", nn::Add<nn::Identity, nn::Scale<0.3f>>, nn::From<"pool", "mean">>,
                         nn::Node<"up", nn::Upsample<2, nn::Interpolation::nearest>>,
                         nn::Node<"join", nn::ConcatTo<0, nn::Identity, nn::Identity>, nn::From<"stem", "up">>,
                         nn::Node<"map", nn::Sequential<nn::Conv<1, 1>, nn::ScaledSigmoid<5.0f>>>> {};

/// The layers that none of the published networks has.
struct Modern
    : nn::Graph<nn::Node<"stem", nn::Sequential<nn::Conv<8, 3>, nn::GroupNorm<2>, nn::Gelu>>,
                nn::Node<"wide", nn::Sequential<nn::Conv<8, 3, nn::ConvOptions{.dilation = 2}>, nn::LayerNorm<>,
                                                nn::Silu, nn::Dropout<0.3f>>>,
                nn::Node<"cut", nn::Sequential<nn::Conv<8, nn::Axes(3, 1), nn::ConvOptions{.groups = 2}>, nn::Gelu>>,
                nn::Node<"sum", nn::Add<nn::Identity, nn::Identity>, nn::From<"wide", "cut">>,
                nn::Node<"act", nn::Gelu>, nn::Node<"gate", nn::Multiply<nn::Identity, nn::GlobalMaxPool>>,
                nn::Node<"up", nn::Sequential<nn::MaxPool<2>, nn::Conv<4, 1>, nn::PixelShuffle<2>>>> {};

template <class S, class D>
struct Run {
  Context<D> context;
  nn::Network<S, 3, D> net;
  explicit Run(typename Context<D>::Options options) : context(options), net(context) {}

  std::vector<double> forward(const Shape& shape, nn::Mode mode) {
    return numbers_of(context, net.forward(on_device<float>(context, shape, random_numbers(shape.count(), 1)),
                                           {.mode = mode, .iteration = 3}));
  }
  struct Gradients {
    std::vector<double> y, dx;
    std::vector<std::vector<double>> by_parameter;
    std::vector<double> statistics;
  };
  Gradients differentiate(const Shape& shape) {
    nn::Tape<D> tape;
    const auto x = on_device<float>(context, shape, random_numbers(shape.count(), 1));
    const Tensor<D> y =
        net.forward(x, {.mode = nn::Mode::training, .tape = &tape, .iteration = 3, .input_gradient = true});
    const auto dy = on_device<float>(context, y.shape(), random_numbers(y.shape().count(), 2));
    net.zero_gradients();
    Gradients g;
    g.dx = numbers_of(context, net.backward(dy, tape)), g.y = numbers_of(context, y);
    const auto all = numbers_of(context, net.parameters()->gradients());
    for (const auto& e : net.parameters()->entries())
      if (!e.statistic)
        g.by_parameter.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(e.offset),
                                    all.begin() + static_cast<std::ptrdiff_t>(e.offset + e.count));
    if (net.parameters()->statistics().shape().count() > 0)
      g.statistics = numbers_of(context, net.parameters()->statistics());
    return g;
  }
};

/// bound: of maps; gradients gather rounding over all layers, so they are given ten times as much. Beside plain sums:
/// the fast kernels' Winograd rounds as much as a device does.
template <class S>
void compare(const Shape& shape, CudaOptions options, double bound) {
  options.seed = 11;
  Run<S, Cpu> cpu({.threads = 1, .seed = 11, .kernels = nullptr});
  Run<S, Cuda> gpu(options);
  CHECK(difference(gpu.forward(shape, nn::Mode::inference), cpu.forward(shape, nn::Mode::inference)) < bound);
  const auto found = gpu.differentiate(shape);
  const auto wanted = cpu.differentiate(shape);
  CHECK(difference(found.y, wanted.y) < bound);
  CHECK(difference(found.dx, wanted.dx) < 10 * bound);
  REQUIRE(found.by_parameter.size() == wanted.by_parameter.size());
  double largest = 0;
  for (const auto& g : wanted.by_parameter)
    for (const double v : g) largest = std::max(largest, std::abs(v));
  for (std::size_t k = 0; k < wanted.by_parameter.size(); ++k) {
    double worst = 0;  // against the largest of all: a bias before a norm has no gradient but rounding
    for (std::size_t i = 0; i < wanted.by_parameter[k].size(); ++i)
      worst = std::max(worst, std::abs(found.by_parameter[k][i] - wanted.by_parameter[k][i]));
    CHECK(worst < 10 * bound * largest);
  }
  CHECK(difference(found.statistics, wanted.statistics) < bound);
}

}  // namespace

TEST_CASE("cuda: MicroNet and others, forward and backward, in f32") {
  for (const bool cudnn : {true, false}) {
    compare<nn::MicroNet<kSmall>>({2, 32, 48, 3}, {.cudnn = cudnn}, kConvolution);
    compare<nn::MicroNet<kSmall>>({1, 37, 25, 3}, {.cudnn = cudnn}, kConvolution);
    compare<nn::MicroNet<kOther>>({2, 35, 33, 3}, {.cudnn = cudnn}, kConvolution);
    compare<Mixed>({2, 16, 20, 3}, {.cudnn = cudnn}, kConvolution);
    compare<Modern>({2, 16, 20, 3}, {.cudnn = cudnn}, kConvolution);
    compare<nn::AttentionUNet<nn::AttentionUNetOptions{.base = 1, .drop_rate = 0}>>({2, 19, 37, 3}, {.cudnn = cudnn},
                                                                                    kConvolution);
    compare<nn::MicroNetMobile<nn::MicroNetMobileOptions{.base = 4}>>({2, 20, 36, 3}, {.cudnn = cudnn}, kConvolution);
    // Convolutions without bias, and maps that take another's size.
    compare<nn::FcrnA<nn::FcrnOptions{.base = 1}>>({1, 19, 22, 3}, {.cudnn = cudnn}, kConvolution);
  }
}

TEST_CASE("cuda: inference in tf32, bf16 and fp16, fused and not") {
  const Shape shape{1, 48, 32, 3};
  Run<nn::MicroNet<kSmall>, Cpu> cpu({.threads = 1, .seed = 11});
  const auto wanted = cpu.forward(shape, nn::Mode::inference);
  const auto check = [&](CudaOptions options, double bound) {
    options.seed = 11;
    Run<nn::MicroNet<kSmall>, Cuda> gpu(options);
    CHECK(difference(gpu.forward(shape, nn::Mode::inference), wanted) < bound);
    const auto fused = nn::for_inference(gpu.net);
    const auto x = on_device<float>(gpu.context, shape, random_numbers(shape.count(), 1));
    const auto y = fused.forward(gpu.context, x);
    CHECK(y.dtype() == DType::f32);
    CHECK(difference(numbers_of(gpu.context, y), wanted) < bound);
    CHECK(numbers_of(gpu.context, fused.forward(gpu.context, x)) == numbers_of(gpu.context, y));
  };
  for (const bool cudnn : {true, false}) {
    check({.cudnn = cudnn}, kConvolution), check({.precision = Precision::tf32, .cudnn = cudnn}, 2e-3);
    check({.precision = Precision::bf16, .cudnn = cudnn}, kHalf);
    check({.precision = Precision::fp16, .cudnn = cudnn}, kHalf / 4);
  }
}

TEST_CASE("cuda: gradients in bf16 point where the CPU's do") {
  const Shape shape{2, 32, 32, 3};
  Run<nn::MicroNet<kSmall>, Cpu> cpu({.threads = 1, .seed = 11});
  Run<nn::MicroNet<kSmall>, Cuda> gpu({.seed = 11, .precision = Precision::bf16});
  const auto found = gpu.differentiate(shape);
  const auto wanted = cpu.differentiate(shape);
  double product = 0, a = 0, b = 0;
  for (std::size_t k = 0; k < wanted.by_parameter.size(); ++k) {
    product += dot(found.by_parameter[k], wanted.by_parameter[k]);
    a += dot(found.by_parameter[k], found.by_parameter[k]), b += dot(wanted.by_parameter[k], wanted.by_parameter[k]);
  }
  CHECK(product / std::sqrt(a * b) > 0.99);
  CHECK(std::sqrt(a / b) == Approx(1).epsilon(0.05));
}

TEST_CASE("cuda: a pixel classifier's probabilities, blurred, have the CPU's peaks") {
  using Classifier = nn::UNet<nn::UNetOptions{.base = 2, .norm = true}>;
  Run<Classifier, Cpu> cpu({.threads = 1, .seed = 11});
  Run<Classifier, Cuda> gpu({.seed = 11});
  const Image image = data::synthesize({.height = 40, .width = 51, .seed = 2}).image;
  const detect::LocalMaxima peaks{.radius = 2, .relative = 0, .absolute = 0.01f, .smoothing = 1.5};
  const detect::Detector on_cpu(cpu.net, peaks);
  const detect::Detector on_gpu(gpu.net, peaks);
  const auto wanted = on_cpu(image), found = on_gpu(image);
  REQUIRE(wanted.size() > 3);
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CHECK(std::abs(found[i].centre.x - wanted[i].centre.x) < 0.02);
    CHECK(std::abs(found[i].centre.y - wanted[i].centre.y) < 0.02);
    CHECK(found[i].score == Approx(wanted[i].score).epsilon(1e-3));
  }
  const auto statistics = on_cpu.statistics(view_of(image));
  CHECK(difference(numbers_of(cpu.context, on_gpu.map(view_of(image), statistics)),
                   numbers_of(cpu.context, on_cpu.map(view_of(image), statistics))) < 1e-3);
}

TEST_CASE("cuda: weights go to files and come from them as on the CPU") {
  Run<nn::MicroNet<kSmall>, Cpu> cpu({.threads = 1, .seed = 1});
  Run<nn::MicroNet<kSmall>, Cuda> gpu({.seed = 2});
  io::SafeTensorFile from_cpu, from_gpu;
  io::append_weights(cpu.net, from_cpu);
  io::apply_weights(from_cpu, gpu.net, "here");
  io::append_weights(gpu.net, from_gpu);
  REQUIRE(from_cpu.tensors.size() == from_gpu.tensors.size());
  bool same = true;
  for (std::size_t i = 0; i < from_cpu.tensors.size(); ++i)
    same = same && from_cpu.tensors[i].name == from_gpu.tensors[i].name &&
           from_cpu.tensors[i].data == from_gpu.tensors[i].data;
  CHECK(same);
  const Shape shape{1, 32, 32, 3};
  CHECK(difference(gpu.forward(shape, nn::Mode::inference), cpu.forward(shape, nn::Mode::inference)) < kConvolution);
}

TEST_CASE("cuda: an error of the device names the step when every step is checked") {
  Run<Mixed, Cuda> gpu({.seed = 1, .check_every_step = true});
  CHECK_NOTHROW(gpu.forward({1, 16, 16, 3}, nn::Mode::inference));
}
