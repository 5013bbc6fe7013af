#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/nn/program.hpp"
#include "nucdet/nn/summary.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;
using Catch::Matchers::Contains;

namespace {

using SmallNet = MicroNet<MicroNetOptions{.base = 2}>;

std::vector<float> numbers_in(const Tensor<Cpu>& t) {
  std::vector<float> all;
  const auto v = t.view<const float>();
  for (Index n = 0; n < v.shape.n; ++n)
    for (Index y = 0; y < v.shape.h; ++y)
      for (Index x = 0; x < v.shape.w; ++x) all.insert(all.end(), v.pixel(n, y, x), v.pixel(n, y, x) + v.shape.c);
  return all;
}

Tensor<Cpu> random_input(Context<Cpu>& context, const Shape& shape) {
  auto x = context.make(shape);
  testing::fill_random(x, 9);
  return x;
}

/// Dense block: concatenations that hold concatenations.
struct Dense : Graph<Node<"a", Conv<2, 3>>, Node<"b", Concat<Identity, Conv<3, 3>>>,
                     Node<"c", Concat<Identity, Conv<2, 3>>>, Node<"d", Conv<1, 3>>> {};

/// Sums: one may take the memory of "up", but not of "wide", which is read again; then another that of "sum".
struct Sums : Graph<Node<"a", Conv<4, 3>>, Node<"wide", Upsample<2>>, Node<"b", Conv<4, 3>, From<"a">>,
                    Node<"up", Upsample<2>>, Node<"sum", AddOp<kEqualSizes>, From<"wide", "up">>,
                    Node<"more", AddOp<kEqualSizes>, From<"sum", "wide">>, Node<"end", Conv<1, 3>>> {};

/// 2 a + b.
struct Twice : Graph<Node<"a", Conv<4, 3>>, Node<"b", Conv<4, 3>, From<"a">>,
                     Node<"sum", AddOp<kEqualSizes>, From<"a", "b", "a">>, Node<"end", Conv<1, 3>>> {};

}  // namespace

TEST_CASE("a whole small MicroNet has right gradients") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  Network<SmallNet, 3, Cpu> net(context, DType::f64);
  CHECK(testing::worst_gradient_error(net, {2, 17, 19, 3}, Mode::training, 97) < 1e-6);
}

TEST_CASE("concatenations written in place give what copying gives") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  Network<Dense, 3, Cpu> net(context, DType::f64);
  CHECK(testing::worst_gradient_error(net, {1, 6, 5, 3}) < 1e-7);
  const Plan plan = net.plan({1, 6, 5, 3});
  Index placed = 0;
  for (const Placement& p : plan.placements) placed += p.step >= 0 ? 1 : 0;
  CHECK(placed >= 2);
  CHECK(plan.peak_elements < 30 * (3 + 2 + 3 + 5 + 2 + 7 + 1));
}

TEST_CASE("sums take the memory of what nobody reads again, and give what they give in memory of their own") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  Network<Sums, 3, Cpu> net(context);
  const Shape shape{1, 12, 10, 3};
  const Plan plan = net.plan(shape);
  const auto slots = static_cast<int>(plan.shapes.size());  // the input, a, wide, b, up, sum, more, end
  REQUIRE(slots == 8);
  CHECK(plan.overwritten == std::vector<int>{-1, -1, -1, -1, -1, 4, 5, -1});
  CHECK(plan.offsets[4] == plan.offsets[5]);
  CHECK(plan.offsets[5] == plan.offsets[6]);
  CHECK(plan.offsets[2] != plan.offsets[4]);
  CHECK(plan.peak_elements == 120 * (4 * 4 + 4 * 4 + 4));  // wide, up, b: no sum has memory of its own
  const auto x = random_input(context, shape);
  Tape<Cpu> tape;
  CHECK(numbers_in(net.forward(x)) == numbers_in(net.forward(x, {.mode = Mode::training, .tape = &tape})));
}

TEST_CASE("a sum that reads a map twice leaves it as it is") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  Network<Twice, 3, Cpu> net(context);
  const Shape shape{1, 12, 10, 3};
  CHECK(net.plan(shape).overwritten == std::vector<int>{-1, -1, -1, 2, -1});  // of the input, a, b, sum, end: b
  const auto x = random_input(context, shape);
  Tape<Cpu> tape;
  CHECK(numbers_in(net.forward(x)) == numbers_in(net.forward(x, {.mode = Mode::training, .tape = &tape})));
}

TEST_CASE("what the planner says is alive at the peak is what the pool hands out") {
  Context<Cpu> context({.threads = 1});
  Network<MicroNet<MicroNetOptions{.base = 8}>, 3, Cpu> net(context);
  const Shape shape{1, 256, 256, 3};
  auto x = random_input(context, shape);
  net.forward(x);
  const auto before = context.memory().statistics().in_use;
  context.memory().reset_peak();
  net.forward(x);
  const double used = static_cast<double>(context.memory().statistics().peak - before + 256 * 256 * 3 * 4);
  const double planned = static_cast<double>(cost_table(net, shape).peak_bytes);
  CHECK(used > 0.95 * planned);
  CHECK(used < planned + 8e6);  // scratch of one op comes on top
}

TEST_CASE("threads do not change a bit of a forward and backward pass") {
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    Context<Cpu> context({.threads = threads, .seed = 11});
    Network<SmallNet, 3, Cpu> net(context);
    Tape<Cpu> tape;
    const auto y =
        net.forward(random_input(context, {2, 40, 33, 3}), {.mode = Mode::training, .tape = &tape, .iteration = 5});
    net.zero_gradients();
    net.backward(y, tape);
    std::vector<float> all = numbers_in(y);
    for (auto* part : {&net.parameters()->gradients(), &net.parameters()->statistics()}) {
      const std::vector<float> more = numbers_in(*part);
      all.insert(all.end(), more.begin(), more.end());
    }
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("a batch gives what its images give alone") {
  Context<Cpu> context({.threads = 2, .seed = 11});
  Network<SmallNet, 3, Cpu> net(context);
  auto x = random_input(context, {3, 32, 48, 3});
  const std::vector<float> together = numbers_in(net.forward(x));
  const std::size_t size = together.size() / 3;
  for (Index n = 0; n < 3; ++n) {
    auto one = context.make({1, 32, 48, 3});
    ops::copy<float>(context, std::as_const(x).view<const float>().image(n), one.view<float>());
    const std::vector<float> alone = numbers_in(net.forward(one));
    const auto first = together.begin() + n * static_cast<std::ptrdiff_t>(size);
    CHECK(std::equal(alone.begin(), alone.end(), first));
  }
}

TEST_CASE("dropout draws other masks at another iteration, and the same ones again") {
  Context<Cpu> context({.threads = 1, .seed = 2});
  Network<SmallNet, 3, Cpu> net(context);
  auto x = random_input(context, {1, 32, 32, 3});
  const auto run = [&](std::int64_t iteration, Mode mode) {
    return numbers_in(net.forward(x, {.mode = mode, .iteration = iteration}));
  };
  CHECK(run(1, Mode::inference) == run(2, Mode::inference));
  const auto first = run(1, Mode::training);
  CHECK(first == run(1, Mode::training));
  CHECK(first != run(2, Mode::training));
}

TEST_CASE("frozen blocks keep weights' gradients zero, their statistics, and run as in inference") {
  Context<Cpu> context({.threads = 2, .seed = 2});
  Network<SmallNet, 3, Cpu> net(context);
  const std::vector<std::string> blocks{"in", "down1", "down2"};
  net.freeze(blocks);
  auto x = random_input(context, {1, 32, 32, 3});
  const auto statistics = numbers_in(net.parameters()->statistics());
  Tape<Cpu> tape;
  const auto y = net.forward(x, {.mode = Mode::training, .tape = &tape});
  net.zero_gradients();
  net.backward(y, tape);
  CHECK(tape.empty());
  double frozen = 0, free = 0;
  for (const auto& e : net.parameters()->entries()) {
    if (e.statistic) {
      const float* now = net.parameters()->statistics().view<float>().data + e.offset;
      const bool same = std::equal(now, now + e.count, statistics.begin() + e.offset);
      CHECK(same == e.frozen);
      continue;
    }
    const float* g = net.parameters()->gradients().view<float>().data + e.offset;
    for (Index i = 0; i < e.count; ++i) (e.frozen ? frozen : free) += std::abs(static_cast<double>(g[i]));
    CHECK(e.frozen == (e.name.starts_with("in.") || e.name.starts_with("down1.") || e.name.starts_with("down2.")));
  }
  CHECK(frozen == 0);
  CHECK(free > 0);
  const std::vector<std::string> none{"down9"};
  CHECK_THROWS_WITH(net.freeze(none), Contains("down9"));
}

TEST_CASE("a bias before a normalisation has no gradient where the normalisation takes the batch's mean") {
  Context<Cpu> context({.threads = 2, .seed = 2});
  using Layers = Graph<Node<"a", Conv<4, 3>>, Node<"norm", BatchNorm>, Node<"b", Conv<4, 3>>,
                       Node<"each", InstanceNorm>, Node<"c", Conv<4, 3>>, Node<"groups", GroupNorm<2>>,
                       Node<"up", TransposedConv<4, 3>>, Node<"last", BatchNorm>>;
  Network<Layers, 3, Cpu> net(context, DType::f64);
  auto x = context.make({2, 9, 8, 3}, DType::f64);
  testing::fill_random(x, 9);
  CHECK(testing::worst_gradient_error(net, x.shape()) < 1e-6);
  const auto with_gradient = [&](Mode mode) {
    Tape<Cpu> tape;
    auto dy = net.forward(x, {.mode = mode, .tape = &tape});
    testing::fill_random(dy, 7);
    net.zero_gradients();
    net.backward(dy, tape);
    std::vector<std::string> names;
    for (const auto& e : net.parameters()->entries()) {
      if (e.statistic || !e.name.ends_with("conv1.bias")) continue;
      const double* g = net.parameters()->gradients().view<double>().data + e.offset;
      if (std::any_of(g, g + e.count, [](double slope) { return slope != 0; })) names.push_back(e.name);
    }
    return names;
  };
  CHECK(with_gradient(Mode::training) == std::vector<std::string>{"c.conv1.bias"});
  CHECK(with_gradient(Mode::inference) == std::vector<std::string>{"a.conv1.bias", "c.conv1.bias", "up.tconv1.bias"});
  const std::vector<std::string> frozen{"norm"};
  net.freeze(frozen);
  CHECK(with_gradient(Mode::training) == std::vector<std::string>{"a.conv1.bias", "c.conv1.bias"});
}

TEST_CASE("sizes that do not fit are found before anything is allocated, and the node is named") {
  struct Net : Graph<Node<"low", Conv<2, 3, ConvOptions{.stride = 2}>>,
                     Node<"join", Concat<Identity, Upsample<2>>, From<"input", "low">>> {};
  Context<Cpu> context({.threads = 1});
  Network<Net, 3, Cpu> net(context);
  CHECK_NOTHROW(net.plan({1, 8, 8, 3}));
  CHECK_THROWS_WITH(net.plan({1, 7, 8, 3}), Contains("node 'join'") && Contains("1x6x8x2") && Contains("1x7x8x3"));
  CHECK_THROWS_WITH(net.plan({1, 8, 8, 4}), Contains("node 'low'") && Contains("wanted 3"));
}

TEST_CASE("the fused program gives the model's results") {
  Context<Cpu> context({.threads = 2, .seed = 6});
  const auto check = [&]<class S>(const S&) {
    Network<S, 3, Cpu> net(context, DType::f64);
    auto x = context.make({2, 37, 50, 3}, DType::f64);
    testing::fill_random(x, 3);
    for (std::int64_t i = 0; i < 3; ++i)
      net.forward(x, {.mode = Mode::training, .iteration = i});  // moves the running statistics
    const auto fused = for_inference(net);
    CHECK(fused.program.steps().size() < net.program().steps().size());
    const auto a = net.forward(x), b = fused.forward(context, x);
    REQUIRE(a.shape() == b.shape());
    double worst = 0, scale = 0;
    for (Index i = 0; i < a.shape().count(); ++i) {
      worst =
          std::max(worst, std::abs(a.template view<const double>().data[i] - b.template view<const double>().data[i]));
      scale = std::max(scale, std::abs(a.template view<const double>().data[i]));
    }
    CHECK(worst < 1e-12 * (1 + scale));
    return fused;
  };
  const auto micronet = check(SmallNet{});
  CHECK(micronet.parameters == nullptr);  // everything was fused: no hold on the model's own weights
  CHECK(micronet.program.steps().size() == 31);
  check(MicroNet<MicroNetOptions{.base = 2, .context = UpKernel::bilinear_1x1, .dropout = DropoutPlan::after_convs}>{});
  check(MicroNet<MicroNetOptions{.base = 2,
                                 .taps = ContextTaps::encoder,
                                 .context = UpKernel::two_s,
                                 .output = OutputActivation::scaled_sigmoid}>{});
  check(Sequential<BatchNorm, Relu, Conv<4, 3>, ChannelDropout<0.3f>, BatchNorm, LeakyRelu<0.1f>,
                   Residual<BatchNorm, Conv<4, 1>, ChannelDropout<0.2f>>, Sigmoid>{});
}

TEST_CASE("a convolution reads what a concatenation would put side by side, in whole maps and in parts") {
  using Branch = Sequential<Conv<16, 3>, Relu>;
  using Short = Sequential<Conv<32, 3, ConvOptions{.pad = 0}>, Relu>;  // 2 pixels smaller
  struct Net : Graph<Node<"a", Branch>, Node<"b", Short, From<"a">>, Node<"c", Branch, From<"a">>,
                     Node<"join", Sequential<ConcatTo<0, Branch, Short>, Conv<16, 5>, BatchNorm, Elu>>,
                     Node<"cut", Sequential<ConcatTo<1, Branch, Short>, Conv<16, 3>>, From<"join">>,
                     Node<"sum", Add<Sequential<Concat<Branch, Branch>, Conv<16, 3>>, Identity>>,
                     Node<"last", Sequential<ConcatTo<0, Identity, Identity>, Conv<32, 3>, Relu>, From<"sum", "b">>> {};
  const Shape shape{2, 48, 40, 3};
  Context<Cpu> context({.threads = 2, .seed = 6}), plain({.threads = 2, .convolution = ConvolutionMethod::direct});
  Network<Net, 3, Cpu> net(context);
  const auto x = random_input(context, shape);
  const auto fused = for_inference(net);
  std::string steps;
  for (const auto& step : fused.program.steps()) steps += step.layer->describe() + "; ";
  CHECK_THAT(steps, Contains("Concat + Conv 5x5 + norm + act") && Contains("Concat + Conv 3x3 + act") &&
                        Contains("Concat + Conv 3x3 + add") && Contains("Concat + Conv 3x3; "));
  const std::vector<float> wanted = numbers_in(net.forward(x)), found = numbers_in(fused.forward(context, x));
  const std::vector<float> unjoined = numbers_in(fused.forward(plain, x));
  double worst = 0, worst_plain = 0, scale = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    worst = std::max<double>(worst, std::abs(found[i] - wanted[i]));
    worst_plain = std::max<double>(worst_plain, std::abs(unjoined[i] - wanted[i]));
    scale = std::max<double>(scale, std::abs(wanted[i]));
  }
  CHECK(worst < 2e-5 * scale);
  CHECK(worst_plain < 2e-5 * scale);
  Workspace<Cpu> workspace;
  const Rectangle middle{12, 10, 16, 20};
  const auto& part = fused.program.forward(context, workspace, x, {}, middle);
  const std::vector<float> cut = numbers_in(part[0]),
                           whole = numbers_in(fused.forward(context, x).window(10, 12, 20, 16));
  REQUIRE(cut.size() == whole.size());
  double off = 0;
  for (std::size_t i = 0; i < cut.size(); ++i) off = std::max<double>(off, std::abs(cut[i] - whole[i]));
  CHECK(off < 2e-5 * scale);
}

TEST_CASE("the summary names every step and the totals") {
  Context<Cpu> context({.threads = 1});
  Network<SmallNet, 3, Cpu> net(context);
  const std::string text = summary(net, {1, 32, 32, 3});
  CHECK_THAT(text, Contains("up1.tconv1") && Contains("TransposedConv 3x3, stride 2") && Contains("out.conv2") &&
                       Contains("parameters"));
}
