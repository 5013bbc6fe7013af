/// Layers against PyTorch in double precision: forward passes in training mode, every gradient, running statistics.
#include "nucdet/io/weights.hpp"
#include "nucdet/nets/gates.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

const io::SafeTensorFile& golden() {
  static const io::SafeTensorFile file = io::read_safetensors(NUCDET_TEST_DIR "/golden/layers.safetensors");
  return file;
}

Tensor<Cpu> stored(Context<Cpu>& context, const std::string& name) {
  const io::SafeTensor* tensor = golden().find(name);
  INFO(name);
  REQUIRE(tensor != nullptr);
  const auto& s = tensor->shape;
  auto t = context.make({s[0], s[1], s[2], s[3]}, DType::f64);
  const auto values = io::to_doubles(*tensor);
  std::copy(values.begin(), values.end(), t.view<double>().data);
  return t;
}

double difference(const double* found, const double* wanted, std::size_t count) {
  double worst = 0;
  for (std::size_t i = 0; i < count; ++i) worst = std::max(worst, std::abs(found[i] - wanted[i]));
  return worst;
}
double difference(const Tensor<Cpu>& found, const Tensor<Cpu>& wanted) {
  REQUIRE(found.shape() == wanted.shape());
  return difference(found.view<const double>().data, wanted.view<const double>().data,
                    static_cast<std::size_t>(found.shape().count()));
}

void check_parameters(Model<Cpu>& net, const std::string& name) {
  io::SafeTensorFile mine, gradients;
  io::append_weights(net, mine);
  std::swap(net.parameters()->values(), net.parameters()->gradients());
  io::append_weights(net, gradients);
  std::swap(net.parameters()->values(), net.parameters()->gradients());
  for (const auto& entry : net.parameters()->entries()) {
    CAPTURE(entry.name);
    const auto* wanted = golden().find(name + (entry.statistic ? "/after/" : "/gradient/") + entry.name);
    REQUIRE(wanted != nullptr);
    const auto w = io::to_doubles(*wanted);
    const auto g = io::to_doubles(*(entry.statistic ? mine : gradients).find(entry.name));
    REQUIRE(g.size() == w.size());
    CHECK(difference(g.data(), w.data(), w.size()) < 1e-11);
  }
}

template <Spec S, int Channels>
void check(const std::string& name) {
  CAPTURE(name);
  Context<Cpu> context({.threads = 2});
  Network<S, Channels, Cpu> net(context, DType::f64);
  io::apply_weights(golden(), net, name, name + "/weight/");
  const auto x = stored(context, name + "/x");
  Tape<Cpu> tape;
  const auto y = net.forward(x, {.mode = Mode::training, .tape = &tape, .input_gradient = true});
  CHECK(difference(y, stored(context, name + "/y")) < 1e-12);
  net.zero_gradients();
  const auto dx = net.backward(stored(context, name + "/dy"), tape);
  CHECK(difference(dx, stored(context, name + "/dx")) < 1e-12);
  check_parameters(net, name);
}

}  // namespace

TEST_CASE("convolutions of every geometry agree with PyTorch") {
  check<Conv<4, 3, ConvOptions{.dilation = 2}>, 3>("dilated");
  check<Conv<4, 3, ConvOptions{.stride = 2, .pad = 2, .dilation = 3}>, 3>("strided_dilated");
  check<Conv<4, Axes(3, 1), ConvOptions{.stride = Axes(1, 2), .pad = Axes(1, 0)}>, 3>("rectangular");
  check<Conv<4, 3, ConvOptions{.groups = 2}>, 6>("grouped");
  check<DepthwiseConv<5>, 6>("depthwise");
  check<DepthwiseConv<3, ConvOptions{.stride = 2, .pad = 1, .bias = Bias::without}>, 5>("depthwise_strided");
}

TEST_CASE("activations that see their input agree with PyTorch") {
  check<Gelu, 3>("gelu");
  check<Silu, 3>("silu");
}

TEST_CASE("normalisations agree with PyTorch") {
  check<GroupNorm<3>, 6>("group_norm");
  check<LayerNorm<>, 5>("layer_norm");
  check<Normalization<Statistics::instance, NormOptions{.affine = true}>, 4>("instance_norm");
  check<Normalization<Statistics::running, NormOptions{.epsilon = 1e-3, .momentum = 0.25}>, 4>("batch_norm");
}

TEST_CASE("pixel shuffle, global pooling and squeeze and excitation agree with PyTorch") {
  check<PixelShuffle<2>, 8>("pixel_shuffle");
  check<GlobalAveragePool, 5>("global_average");
  check<GlobalMaxPool, 5>("global_maximum");
  check<SqueezeExcite<4>, 8>("squeeze_excite");
}
