// SeveralOutputs named outputs, heads, weights that contexts and threads share.
#include <thread>

#include "nucdet/nn/copy_weights.hpp"
#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;
using Catch::Matchers::Contains;

namespace {

/// An output in the middle, which a later node reads too; one at half the size; the last node.
struct SeveralOutputs : Graph<Node<"stem", Sequential<Conv<4, 3>, BatchNorm, Elu>>, Output<"map", Conv<1, 1>>,
                              Node<"low", Sequential<Conv<4, 3, ConvOptions{.stride = 2}>, Relu>, From<"stem">>,
                              Output<"classes", Conv<3, 1>>, Output<"stem again", Identity, From<"stem">>> {
  using head = Proximity;
};
struct Plain : Graph<Node<"a", Conv<2, 3>>, Node<"b", Conv<1, 1>>> {};
struct JointNet : Graph<Node<"stem", Conv<4, 3>>, Output<"map", Conv<1, 1>, From<"stem">>,
                        Output<"classes", Conv<3, 1>, From<"stem">>> {
  using head = Joint<Proximity, Classes<"lymphocyte", "tumour", "stroma">>;
};

Tensor<Cpu> input(Context<Cpu>& context, const Shape& shape, std::uint64_t stream = 4) {
  Tensor<Cpu> x = context.make(shape);
  testing::fill_random(x, stream);
  return x;
}
std::vector<float> numbers(const Tensor<Cpu>& t) {
  const float* data = t.view<const float>().data;
  return {data, data + t.shape().count()};
}

}  // namespace

TEST_CASE("a graph may end in several named outputs of several sizes") {
  Context<Cpu> context({.threads = 2, .seed = 5});
  Network<SeveralOutputs, 3, Cpu> net(context);
  std::vector<std::string> names;
  for (const ProgramOutput& output : net.program().outputs()) names.push_back(output.name);
  CHECK(names == std::vector<std::string>{"map", "classes", "stem again"});
  const auto x = input(context, {2, 12, 10, 3});
  const auto all = net.outputs(x);
  REQUIRE(all.size() == 3);
  CHECK(all[0].shape() == Shape{2, 12, 10, 1});
  CHECK(all[1].shape() == Shape{2, 6, 5, 3});
  CHECK(all[2].shape() == Shape{2, 12, 10, 4});
  CHECK(numbers(net.forward(x)) == numbers(all[0]));
  const auto fused = for_inference(net);
  Workspace<Cpu> workspace;
  const auto again = fused.program.forward(context, workspace, x);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(again[i].shape() == all[i].shape());
    for (std::size_t k = 0; k < numbers(all[i]).size(); k += 7)
      CHECK(numbers(again[i])[k] == Approx(numbers(all[i])[k]).margin(1e-5));
  }
  const Network<Plain, 3, Cpu> plain(context);
  CHECK(plain.program().outputs().front().name == "map");
}

TEST_CASE("every output's gradient reaches what it was made of, and one without a gradient adds none") {
  Context<Cpu> context({.threads = 1, .seed = 5});
  Network<SeveralOutputs, 3, Cpu> net(context, DType::f64);
  auto x = context.make({1, 7, 8, 3}, DType::f64);
  testing::fill_random(x, 1);
  const auto gradients = [&](std::vector<bool> given) {
    Tape<Cpu> tape;
    const auto ys = net.outputs(x, {.mode = Mode::inference, .tape = &tape});
    std::vector<Tensor<Cpu>> dys(ys.size());
    for (std::size_t i = 0; i < ys.size(); ++i) {
      if (!given[i]) continue;
      dys[i] = context.make(ys[i].shape(), DType::f64);
      testing::fill_random(dys[i], 10 + i);
    }
    net.zero_gradients();
    net.backward(dys, tape);
    CHECK(tape.empty());
    const auto& g = net.parameters()->gradients();
    const double* data = std::as_const(g).view<const double>().data;
    return std::vector<double>(data, data + g.shape().count());
  };
  const auto all = gradients({true, true, true}), map = gradients({true, false, false}),
             classes = gradients({false, true, false}), stem = gradients({false, false, true});
  double largest = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i] == Approx(map[i] + classes[i] + stem[i]).margin(1e-12));
    largest = std::max(largest, std::abs(classes[i]));
  }
  CHECK(largest > 0.01);
  const std::vector<Tensor<Cpu>> two(2);
  Tape<Cpu> tape;
  net.outputs(x, {.tape = &tape});
  CHECK_THROWS_WITH(net.backward(two, tape), Contains("2 gradients") && Contains("3 outputs"));
}

TEST_CASE("a head is a part of the network's type, and its classes can be named") {
  Context<Cpu> context({.threads = 1});
  Network<JointNet, 3, Cpu> net(context);
  CHECK(net.head().kind == Head::Kind::proximity);
  CHECK(net.head().map == "map");
  CHECK(net.head().class_map == "classes");
  CHECK(net.head().classes == std::vector<std::string>{"lymphocyte", "tumour", "stroma"});
  net.name_classes({"a", "b", "c"});
  CHECK(for_inference(net).head.classes[1] == "b");
  CHECK_THROWS_WITH(net.name_classes({"a"}), Contains("1 names") && Contains("3 classes"));
  CHECK(Network<Plain, 3, Cpu>(context).head().kind == Head::Kind::none);
}

TEST_CASE("threads and contexts share one inference program") {
  Context<Cpu> context({.threads = 2, .seed = 5});
  Network<SeveralOutputs, 3, Cpu> net(context);
  const auto shared = std::make_shared<const InferenceProgram<Cpu>>(for_inference(net));
  const auto x = input(context, {1, 20, 30, 3}), small = input(context, {1, 9, 8, 3});
  const auto wanted = numbers(shared->forward(context, x)), wanted_small = numbers(shared->forward(context, small));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Context<Cpu> own({.threads = 1});
      Context<Cpu>& used = t % 2 == 0 ? own : context;
      Workspace<Cpu> workspace;
      for (int i = 0; i < 20; ++i) {
        const bool big = (i + t) % 2 == 0;
        wrong += numbers(shared->forward(used, workspace, big ? x : small)) != (big ? wanted : wanted_small);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("weights are copied between contexts and element types, or not at all") {
  Context<Cpu> one({.threads = 1, .seed = 1}), two({.threads = 2, .seed = 2});
  Network<SeveralOutputs, 3, Cpu> from(one);
  Network<SeveralOutputs, 3, Cpu> to(two);
  Network<SeveralOutputs, 3, Cpu> wide(two, DType::f64);
  const auto x = input(one, {1, 8, 8, 3});
  REQUIRE(numbers(from.forward(x)) != numbers(to.forward(x)));
  copy_weights(from, to);
  CHECK(numbers(from.forward(x)) == numbers(to.forward(x)));
  copy_weights(from, wide);
  copy_weights(wide, to);
  CHECK(numbers(from.forward(x)) == numbers(to.forward(x)));
  Network<JointNet, 3, Cpu> other(two);
  const auto before = numbers(other.forward(x));
  CHECK_THROWS_AS(copy_weights(from, other), ShapeError);
  CHECK(numbers(other.forward(x)) == before);
}

TEST_CASE("an output that is concatenated too is handed out dense") {
  struct Net : Graph<Output<"a", Conv<2, 3>>, Output<"b", Concat<Identity, Conv<3, 3>>>> {};
  Context<Cpu> context({.threads = 1, .seed = 5});
  const Network<Net, 3, Cpu> net(context);
  const auto all = net.outputs(input(context, {1, 6, 5, 3}));
  CHECK(all[0].dense());
  CHECK(all[1].dense());
  const View<const float> a = all[0].view<const float>(), b = all[1].view<const float>();
  for (Index x = 0; x < 5; ++x) CHECK(a(0, 2, x, 1) == b(0, 2, x, 1));
}

TEST_CASE("unequal strides never shrink what an output is said to see") {
  struct Net
      : Graph<Node<"low", Conv<2, 3, ConvOptions{.stride = {2, 3}}>>, Node<"odd", Conv<2, 3, ConvOptions{.pad = 0}>>,
              Node<"sum", AddTo<0, Identity, Identity>, From<"low", "odd">>> {};
  Context<Cpu> context({.threads = 1, .seed = 5});
  const Network<Net, 3, Cpu> net(context, DType::f64);
  const Shape shape{1, 48, 48, 3};
  auto x = context.make(shape, DType::f64);
  testing::fill_random(x, 4);
  const auto reach = net.receptive_field(shape);
  const auto before = net.forward(x);
  const View<const double> was = before.view<const double>();
  const Index h = was.shape.h, w = was.shape.w;
  for (const auto& [py, px] : {std::pair<Index, Index>{24, 24}, {21, 30}}) {
    x.view<double>()(0, py, px, 0) += 1;
    const auto after = net.forward(x);
    const View<const double> now = after.view<const double>();
    for (Index i = 0; i < h; ++i)
      for (Index k = 0; k < w; ++k) {
        if (now(0, i, k, 0) == was(0, i, k, 0)) continue;
        CHECK((py >= 2 * i - reach.before && py <= 2 * i + reach.after));
        CHECK((px >= 3 * k - reach.before && px <= 3 * k + reach.after));
      }
    x.view<double>()(0, py, px, 0) -= 1;
  }
}
