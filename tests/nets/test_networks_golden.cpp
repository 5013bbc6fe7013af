/// The paper's other networks against PyTorch in double precision: forward passes and every gradient.
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/nets/attention_unet.hpp"
#include "nucdet/nets/fcn.hpp"
#include "nucdet/nets/fcrn.hpp"
#include "nucdet/nets/frcn.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nets/micronet_mobile.hpp"
#include "nucdet/nets/unet.hpp"
#include "nucdet/nn/passes.hpp"

#include "golden.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;
using nucdet_test::difference, nucdet_test::tensor_of;

namespace {

std::vector<double> stored(const io::SafeTensorFile& golden, const std::string& name) {
  const io::SafeTensor* tensor = golden.find(name);
  INFO(name);
  REQUIRE(tensor != nullptr);
  return io::to_doubles(*tensor);
}

/// The gradient of the network's output: of the cross-entropy, if the file has labels, else the file's own.
Tensor<Cpu> output_gradient(Context<Cpu>& context, const io::SafeTensorFile& golden, const Tensor<Cpu>& y) {
  if (golden.find("dy") != nullptr) return tensor_of(context, *golden.find("dy"), DType::f64);
  const auto target = tensor_of(context, *golden.find("target"), DType::f64);
  auto dy = context.make(y.shape(), DType::f64);
  CHECK(loss::evaluate(context, loss::CrossEntropy{}, y.view<const double>(), target.view<const double>(), {},
                       dy.view<double>()) == Approx(std::stod(golden.metadata.at("loss"))).epsilon(1e-12));
  return dy;
}

/// Running statistics, and the gradients that a backward pass left, by name.
void check_parameters(Model<Cpu>& net, const io::SafeTensorFile& golden) {
  io::SafeTensorFile mine, gradients;
  io::append_weights(net, mine);
  std::swap(net.parameters()->values(), net.parameters()->gradients());
  io::append_weights(net, gradients);
  std::swap(net.parameters()->values(), net.parameters()->gradients());
  for (const auto& entry : net.parameters()->entries()) {
    CAPTURE(entry.name);
    if (entry.statistic) {
      CHECK(difference(io::to_doubles(*mine.find(entry.name)).data(), stored(golden, "after/" + entry.name)) < 1e-11);
      continue;
    }
    const auto wanted = stored(golden, "gradient/" + entry.name), got = io::to_doubles(*gradients.find(entry.name));
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      // Of a bias before a norm PyTorch gives the rounding of its sums, we 0.
      const bool none = got[i] == 0 && entry.name.ends_with(".bias");
      REQUIRE(got[i] == Approx(wanted[i]).epsilon(1e-8).margin(none ? 1e-9 : 1e-11));
    }
  }
}

template <Spec S, int Channels>
void check(const std::string& name) {
  CAPTURE(name);
  const io::SafeTensorFile golden = io::read_safetensors(NUCDET_TEST_DIR "/golden/" + name + ".safetensors");
  Context<Cpu> context({.threads = 2});
  Network<S, Channels, Cpu> net(context, DType::f64);
  io::apply_weights(golden, net, name, "weight/");
  const auto x = tensor_of(context, *golden.find("input"), DType::f64);

  const auto plain = net.forward(x), fused = for_inference(net).forward(context, x);
  CHECK(difference(plain.template view<const double>().data, stored(golden, "eval_output")) < 1e-7);  // kept as F32
  const double* values = plain.template view<const double>().data;
  CHECK(difference(fused.template view<const double>().data,
                   std::vector<double>(values, values + plain.shape().count())) < 1e-10);

  Tape<Cpu> tape;
  const auto y = net.forward(x, {.mode = Mode::training, .tape = &tape, .input_gradient = true});
  CHECK(difference(y.template view<const double>().data, stored(golden, "train_output")) < 1e-11);
  net.zero_gradients();
  const auto dx = net.backward(output_gradient(context, golden, y), tape);
  CHECK(tape.empty());
  CHECK(difference(dx.template view<const double>().data, stored(golden, "gradient/input")) < 1e-10);
  check_parameters(net, golden);
}

}  // namespace

TEST_CASE("the regressors agree with PyTorch: forward, fused, running statistics and every gradient") {
  check<Frcn<FrcnOptions{.base = 1, .drop_rate = 0}>, 3>("frcn_base1");
  check<FcrnA<FcrnOptions{.base = 1}>, 3>("fcrn_a_base1");
  check<FcrnB<FcrnOptions{.base = 1}>, 3>("fcrn_b_base1");
  check<FcrnB<FcrnOptions{.base = 1, .variant = FcrnBReading::b}>, 3>("fcrn_b_alt_base1");
  check<MicroNetLite<MicroNetLiteOptions{.base = 2, .drop_rate = 0}>, 3>("micronet_lite_base2");
  check<AttentionUNet<AttentionUNetOptions{.base = 1, .drop_rate = 0}>, 3>("attention_unet_base1");
  check<MicroNetMobile<MicroNetMobileOptions{.base = 4}>, 3>("micronet_mobile_base4");
}

TEST_CASE("the pixel classifiers agree with PyTorch, with and without norm") {
  check<UNet<UNetOptions{.base = 1, .drop_rate = 0}>, 1>("unet_base1");
  check<UNet<UNetOptions{.base = 1, .norm = true, .drop_rate = 0}>, 1>("unet_norm_base1");
  check<Fcn8s<FcnOptions{.base = 1, .hidden = 4, .drop_rate = 0}>, 1>("fcn8s_base1");
  check<Fcn8s<FcnOptions{.base = 1, .hidden = 4, .maps = 1, .norm = true, .drop_rate = 0}>, 1>("fcn8s_norm_base1");
}
