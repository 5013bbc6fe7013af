#include <cstdlib>
#include <cstring>

#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/nn/summary.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"

#include "golden.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;
using nucdet_test::difference, nucdet_test::tensor_of;

namespace {

template <MicroNetOptions O>
CostTable costs(const Shape& shape) {
  Context<Cpu> context({.threads = 1});
  const Network<MicroNet<O>, 3, Cpu> net(context);
  return cost_table(net, shape);
}

const io::SafeTensorFile& golden() {
  static const io::SafeTensorFile file = io::read_safetensors(NUCDET_TEST_DIR "/golden/micronet_base2.safetensors");
  return file;
}

/// Weighted squared error as in the paper, written here once more as the oracle: (y + 5 mean(y)) (o - 5 y)^2 / 2.
double loss_and_gradient(const View<const double> o, const View<const double> y, View<double> slope) {
  const Shape s = o.shape;
  const double pixels = static_cast<double>(s.h * s.w), samples = static_cast<double>(s.n);
  double loss = 0;
  for (Index n = 0; n < s.n; ++n) {
    double mean = 0;
    for (Index i = 0; i < s.h * s.w; ++i) mean += y.data[n * s.h * s.w + i] / pixels;
    for (Index i = n * s.h * s.w; i < (n + 1) * s.h * s.w; ++i) {
      const double weight = y.data[i] + 5 * mean, off = o.data[i] - 5 * y.data[i];
      loss += 0.5 * weight * off * off / (pixels * samples);
      slope.data[i] = weight * off / (pixels * samples);
    }
  }
  return loss;
}

}  // namespace

TEST_CASE("MicroNet has the published number of parameters and operations") {
  const CostTable at200 = costs<MicroNetOptions{}>({1, 200, 200, 3}),
                  at512 = costs<MicroNetOptions{}>({1, 512, 512, 3});
  CHECK(at200.parameters == 11'724'705);
  CHECK(at200.flops == 38'843'957'248);
  CHECK(at512.flops == 254'946'574'336);
  CHECK(at512.peak_bytes + 4 * at512.parameters < 400'000'000);  // a forward pass and its weights
  CHECK(costs<MicroNetOptions{.base = 16}>({1, 64, 64, 3}).parameters == 2'934'737);
  CHECK(costs<MicroNetOptions{.maps = 3}>({1, 64, 64, 3}).parameters == 11'724'771);
  CHECK(costs<MicroNetOptions{.context = UpKernel::two_s}>({1, 512, 512, 3}).flops == Approx(350.8e9).epsilon(1e-3));
  CHECK(costs<MicroNetOptions{.context = UpKernel::bilinear_1x1}>({1, 512, 512, 3}).flops ==
        Approx(248.5e9).epsilon(1e-3));
  CHECK(costs<MicroNetOptions{.rounding = ops::Rounding::ceil}>({1, 200, 200, 3}).flops ==
        Approx(39.0e9).epsilon(2e-3));
}

TEST_CASE("level sizes follow the floor rule") {
  const auto sizes = [](Index size) {
    std::vector<Index> levels;
    for (const StepCost& s : costs<MicroNetOptions{.base = 1}>({1, size, size, 3}).steps)
      if (s.path.ends_with(".conv1") && (s.path.starts_with("in") || s.path.starts_with("down")))
        levels.push_back(s.shape.h);
    return levels;
  };
  CHECK(sizes(200) == std::vector<Index>{200, 100, 50, 25, 12});
  CHECK(sizes(500) == std::vector<Index>{500, 250, 125, 62, 31});
  CHECK(sizes(512) == std::vector<Index>{512, 256, 128, 64, 32});
}

TEST_CASE("every height and width from 16 to 70 goes through, and comes out as it went in") {
  Context<Cpu> context({.threads = 2});
  const Network<MicroNet<MicroNetOptions{.base = 1}>, 3, Cpu> net(context);
  for (Index h = 16; h <= 70; ++h) {
    for (Index w = 16; w <= 70; ++w) REQUIRE(net.plan({1, h, w, 3}).shapes.back() == Shape{1, h, w, 1});
    const auto y = net.forward(context.zeros({1, h, 86 - h, 3}));
    REQUIRE(y.shape() == Shape{1, h, 86 - h, 1});
    for (Index i = 0; i < y.shape().count(); ++i) REQUIRE(std::isfinite(y.view<const float>().data[i]));
  }
  CHECK_THROWS_AS(net.plan({1, 15, 64, 3}), ShapeError);
}

TEST_CASE("the fast kernels stay within 2e-5 of double precision, and plain sums within 5e-6") {
  Context<Cpu> wide({.threads = 2, .seed = 6});
  const Network<MicroNet<MicroNetOptions{.base = 16}>, 3, Cpu> exact(wide, DType::f64);
  Tensor<Cpu> x = wide.make({1, 64, 80, 3}, DType::f64);
  RandomStream random{7};
  for (Index i = 0; i < x.shape().count(); ++i) x.view<double>().data[i] = random.uniform(-2, 2);
  const auto wanted = exact.forward(x);
  const View<const double> y = wanted.view<const double>();
  double largest = 0;
  for (Index i = 0; i < y.shape.count(); ++i) largest = std::max(largest, std::abs(y.data[i]));
  for (const auto& [method, tolerance] :
       {std::pair(ConvolutionMethod::automatic, 2e-5), std::pair(ConvolutionMethod::direct, 5e-6)}) {
    Context<Cpu> context({.threads = 2, .seed = 6, .convolution = method});
    const Network<MicroNet<MicroNetOptions{.base = 16}>, 3, Cpu> net(context);
    Tensor<Cpu> input = context.make(x.shape());
    for (Index i = 0; i < x.shape().count(); ++i)
      input.view<float>().data[i] = static_cast<float>(x.view<double>().data[i]);
    double difference = 0;
    for (const Tensor<Cpu>& found : {net.forward(input), for_inference(net).forward(context, input)})
      for (Index i = 0; i < y.shape.count(); ++i)
        difference = std::max(difference, std::abs(static_cast<double>(found.view<const float>().data[i]) - y.data[i]));
    CAPTURE(method, difference / largest);
    CHECK(difference / largest < tolerance);
  }
}

TEST_CASE("no input beyond 118 pixels matters") {
  // Winograd's tiles carry a rounding error further.
  Context<Cpu> context({.threads = 2, .seed = 5, .convolution = ConvolutionMethod::direct});
  const Network<MicroNet<MicroNetOptions{.base = 2}>, 3, Cpu> net(context);
  const auto reach = net.receptive_field({1, 512, 512, 3});
  CHECK(reach.before == 118);
  CHECK(reach.after == 118);
  // By experiment: one input pixel changed. At sizes that are multiples of 16 nothing moves beyond the reach.
  auto x = context.zeros({1, 288, 288, 3});
  const auto before = net.forward(x);
  Index farthest = 0;
  for (const Index at : {Index{140}, Index{143}, Index{147}}) {
    x.view<float>()(0, at, at, 1) = 100;
    const auto after = net.forward(x);
    x.view<float>()(0, at, at, 1) = 0;
    for (Index i = 0; i < 288; ++i)
      for (Index j = 0; j < 288; ++j)
        if (after.view<const float>()(0, i, j, 0) != before.view<const float>()(0, i, j, 0))
          farthest = std::max({farthest, std::abs(i - at), std::abs(j - at)});
  }
  CHECK(farthest <= 118);
  CHECK(farthest > 90);
}

TEST_CASE("forward pass, running statistics and every gradient agree with PyTorch, by name") {
  Context<Cpu> context({.threads = 2});
  Network<MicroNet<MicroNetOptions{.base = 2, .drop_rate = 0}>, 3, Cpu> net(context, DType::f64);
  io::apply_weights(golden(), net, "golden", "weight/");
  const auto x = tensor_of(context, *golden().find("input"), DType::f64),
             target = tensor_of(context, *golden().find("target"), DType::f64);
  const auto stored = [](const std::string& name) { return io::to_doubles(*golden().find(name)); };

  CHECK(difference(net.forward(x).view<const double>().data, stored("eval_output")) < 1e-11);
  Tape<Cpu> tape;
  const auto y = net.forward(x, {.mode = Mode::training, .tape = &tape, .input_gradient = true});
  CHECK(difference(y.view<const double>().data, stored("train_output")) < 1e-11);
  auto dy = context.make(y.shape(), DType::f64);
  CHECK(loss_and_gradient(y.view<const double>(), target.view<const double>(), dy.view<double>()) ==
        Approx(std::stod(golden().metadata.at("loss"))).epsilon(1e-12));
  net.zero_gradients();
  const auto dx = net.backward(dy, tape);
  CHECK(difference(dx.view<const double>().data, stored("gradient/input")) < 1e-10);

  io::SafeTensorFile mine;
  io::append_weights(net, mine);
  std::swap(net.parameters()->values(), net.parameters()->gradients());
  io::SafeTensorFile gradients;
  io::append_weights(net, gradients);
  for (const auto& entry : net.parameters()->entries()) {
    CAPTURE(entry.name);
    if (entry.statistic) {
      CHECK(difference(io::to_doubles(*mine.find(entry.name)).data(), stored("after/" + entry.name)) < 1e-11);
      continue;
    }
    const auto wanted = stored("gradient/" + entry.name), got = io::to_doubles(*gradients.find(entry.name));
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) REQUIRE(got[i] == Approx(wanted[i]).epsilon(1e-8).margin(1e-11));
  }
}

TEST_CASE("float agrees with PyTorch's double to rounding") {
  Context<Cpu> context({.threads = 2});
  Network<MicroNet<MicroNetOptions{.base = 2, .drop_rate = 0}>, 3, Cpu> net(context);
  io::apply_weights(golden(), net, "golden", "weight/");
  const auto y = net.forward(tensor_of(context, *golden().find("input"), DType::f32));
  CHECK(difference(y.view<const float>().data, io::to_doubles(*golden().find("eval_output"))) < 5e-6);
}

TEST_CASE("weights go to a file and come back bit for bit; a misfit lists every wrong tensor and loads nothing") {
  Context<Cpu> context({.threads = 1, .seed = 8});
  Context<Cpu> other_seed({.threads = 1, .seed = 9});
  Network<MicroNet<MicroNetOptions{.base = 2}>, 3, Cpu> a(context), b(other_seed);
  const auto path = std::filesystem::temp_directory_path() / "nucdet_test_weights.safetensors";
  io::save_weights(path, a, {{"network", "micronet"}});
  CHECK(io::load_weights(path, b).at("network") == "micronet");
  const Index bytes = a.parameters()->values().shape().count() * 4;
  CHECK(std::memcmp(a.parameters()->values().view<float>().data, b.parameters()->values().view<float>().data,
                    static_cast<std::size_t>(bytes)) == 0);

  Network<MicroNet<MicroNetOptions{.base = 2, .maps = 2}>, 3, Cpu> two_maps(other_seed);
  const float first = two_maps.parameters()->values().view<float>().data[0];
  CHECK_THROWS_WITH(io::load_weights(path, two_maps),
                    Catch::Matchers::Contains("'out.conv2.weight' is 1x2x1x1, wanted 2x2x1x1") &&
                        Catch::Matchers::Contains("'out.conv2.bias'") && Catch::Matchers::Contains("2 mismatches"));
  CHECK(two_maps.parameters()->values().view<float>().data[0] == first);
  std::filesystem::remove(path);
}

TEST_CASE("fifty training steps follow PyTorch's losses") {
  Context<Cpu> context({.threads = 2});
  Network<MicroNet<MicroNetOptions{.base = 2, .drop_rate = 0}>, 3, Cpu> net(context);
  io::apply_weights(golden(), net, "golden", "weight/");
  const auto x = tensor_of(context, *golden().find("input"), DType::f32),
             target = tensor_of(context, *golden().find("target"), DType::f32);
  const std::string list = golden().metadata.at("training_losses");
  std::vector<double> wanted;
  for (std::size_t at = list.find('['); at != std::string::npos && at + 1 < list.size(); at = list.find(',', at + 1))
    wanted.push_back(std::stod(list.substr(at + 1)));
  REQUIRE(wanted.size() == 50);
  auto& values = net.parameters()->values();
  const std::size_t count = static_cast<std::size_t>(values.shape().count());
  std::vector<float> state(count, 0.0f);
  for (std::int64_t i = 0; i < 50; ++i) {
    Tape<Cpu> tape;
    const auto y = net.forward(x, {.mode = Mode::training, .tape = &tape});
    auto dy = context.make(y.shape());
    const double loss = loss::evaluate(context, loss::WeightedSquaredError{}, y.view<const float>(),
                                       target.view<const float>(), {}, dy.view<float>());
    CHECK(loss == Approx(wanted[static_cast<std::size_t>(i)]).epsilon(1e-4));
    net.zero_gradients();
    net.backward(dy, tape);
    optim::step(context, optim::Sgd{}, 0.01, i, {values.view<float>().data, count},
                {net.parameters()->gradients().view<float>().data, count}, state);
  }
}
