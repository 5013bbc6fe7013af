// What the backward pass tells of gradients in its course: once each, when they are final, and not later.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/nets.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

/// What a backward pass told.
struct Told {
  std::vector<Index> places;     ///< in the order of telling, without repetitions
  std::vector<float> when_told;  ///< each gradient as it was when it was told of
  std::vector<float> at_the_end;
  bool rises = false;
};

/// Runs backward(tape) and listens. size: of the store's gradients.
template <class Backward>
Told listen(ParameterStore<Cpu>& store, Tape<Cpu>& tape, const Backward& backward) {
  const Index size = store.size();
  const auto now = [&] {
    const float* data = std::as_const(store.gradients()).template view<const float>().data;
    return std::vector<float>(data, data + size);
  };
  Told told;
  told.when_told.assign(static_cast<std::size_t>(size), std::numeric_limits<float>::quiet_NaN());
  Index from = size;
  tape.on_final = [&](Index place) {
    told.rises = told.rises || place > from;
    if (place >= from) return;
    const std::vector<float> all = now();
    std::copy(all.begin() + place, all.begin() + from, told.when_told.begin() + place);
    told.places.push_back(from = place);
  };
  backward();
  tape.on_final = nullptr;
  told.at_the_end = now();
  return told;
}

/// The backward pass of a training pass, with gradients for the outputs that are given.
Told told_by(Model<Cpu>& net, const Shape& shape, const std::vector<bool>& given = {}) {
  Context<Cpu>& context = net.context();
  Tensor<Cpu> x = context.make(shape);
  testing::fill_random(x, 9);
  Tape<Cpu> tape;
  const auto& ys = net.outputs(x, {.mode = Mode::training, .tape = &tape});
  std::vector<Tensor<Cpu>> dys(ys.size());
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (!given.empty() && !given[i]) continue;
    dys[i] = context.make(ys[i].shape());
    testing::fill_random(dys[i], 10 + i);
  }
  net.zero_gradients();
  return listen(*net.parameters(), tape, [&] { net.backward(dys, tape); });
}

/// Where what is told of with each step begins, from the last step to the first: where the parameters end that steps
/// before it train. Steps stand in the order of their parameters.
std::vector<Index> wanted_places(const Model<Cpu>& net) {
  std::vector<Index> places;
  std::string last;
  Index end = 0;
  for (const ParameterEntry& e : net.parameters()->entries()) {
    if (e.statistic || e.frozen) continue;
    const std::string step = e.name.substr(0, e.name.rfind('.'));
    if (step != last) places.push_back(end), last = step;
    end = e.offset + (e.count + 15) / 16 * 16;
  }
  if (end < net.parameters()->size()) places.push_back(end);  // what no step trains, with the first that is done
  std::reverse(places.begin(), places.end());
  return places;
}

template <class S>
void check_network(const char* name, const Shape& shape = {2, 32, 48, 3}) {
  CAPTURE(name);
  Context<Cpu> context({.threads = 2, .seed = 3});
  Network<S, 3, Cpu> net(context);
  const Told told = told_by(net, shape);
  CHECK_FALSE(told.rises);
  CHECK(told.when_told == told.at_the_end);
  CHECK(told.places == wanted_places(net));  // as early as can be
  CHECK(std::any_of(told.at_the_end.begin(), told.at_the_end.end(), [](float g) { return g != 0; }));
}

/// An output in the middle, which a later node reads too, and two at the end.
struct Several : Graph<Node<"stem", Sequential<Conv<4, 3>, BatchNorm, Elu>>, Output<"map", Conv<1, 1>>,
                       Node<"low", Sequential<Conv<4, 3, ConvOptions{.stride = 2}>, Relu>, From<"stem">>,
                       Output<"classes", Conv<3, 1>>, Output<"stem again", Identity, From<"stem">>> {};

}  // namespace

TEST_CASE("each step's gradients are told of when it is done, and then stay, in every network") {
  check_network<MicroNet<MicroNetOptions{.base = 2}>>("MicroNet");
  check_network<MicroNet<MicroNetOptions{.base = 2, .taps = ContextTaps::encoder}>>(
      "MicroNet, contexts of the encoder");
  check_network<MicroNetLite<MicroNetLiteOptions{.base = 4, .classes = 3}>>("MicroNetLite with classes");
  check_network<MicroNetMobile<MicroNetMobileOptions{.base = 8}>>("MicroNetMobile");
  check_network<UNet<UNetOptions{.base = 2, .norm = true}>>("UNet");
  check_network<AttentionUNet<AttentionUNetOptions{.base = 4}>>("AttentionUNet");
  check_network<Several>("several outputs");
}

TEST_CASE("gradients that nobody makes are told of as soon as nobody can") {
  Context<Cpu> context({.threads = 1, .seed = 5});
  Network<Several, 3, Cpu> net(context);
  const std::vector<std::vector<bool>> cases{{true, false, false}, {false, true, false}, {false, false, true}};
  for (const std::vector<bool>& given : cases) {
    const Told told = told_by(net, {1, 12, 10, 3}, given);
    CHECK_FALSE(told.rises);
    CHECK(told.when_told == told.at_the_end);
    CHECK(told.places == wanted_places(net));
  }
}

TEST_CASE("frozen blocks are told of with the last step that is not frozen") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  Network<MicroNet<MicroNetOptions{.base = 2}>, 3, Cpu> net(context);
  const std::size_t steps = wanted_places(net).size();
  const std::vector<std::vector<std::string>> cases{{"in", "down1", "down2"}, {"down4", "up1"}, {"in", "out"}};
  for (const std::vector<std::string>& frozen : cases) {
    net.freeze(frozen);
    const Told told = told_by(net, {1, 32, 32, 3});
    CHECK_FALSE(told.rises);
    CHECK(told.when_told == told.at_the_end);
    CHECK(told.places == wanted_places(net));
    CHECK(told.places.size() < steps);
    net.freeze(frozen, false);
  }
}

TEST_CASE("gradients are final when the last of the steps that share them is done, in any order of parameters") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  ParameterStore<Cpu> store(DType::f32);
  const auto layer = [&](const char* path) {
    auto conv = std::make_shared<ConvLayer<Cpu>>(ConvSettings{.in = 2, .out = 2, .weights = Init::of(18)});
    Binder<Cpu> binder(store, path);
    conv->bind(binder);
    Program<Cpu>::Step step;
    step.layer = conv, step.node = step.path = path, step.parameters = true, step.gradients_end = store.size();
    return step;
  };
  const auto a = layer("a"), b = layer("b"), c = layer("c");
  const Index each = a.gradients_end;
  REQUIRE(c.gradients_end == 3 * each);
  Program<Cpu> program;
  int slot = program.append_input();
  for (const auto& step : {b, c, a, b}) slot = program.append(step, {slot});  // b twice, a after c
  program.add_output({"map", slot, 2});
  store.allocate(context);
  Tensor<Cpu> x = context.make({1, 6, 5, 2}), dy = context.make({1, 6, 5, 2});
  testing::fill_random(x, 1), testing::fill_random(dy, 2);
  Tape<Cpu> tape;
  Workspace<Cpu> workspace;
  program.forward(context, workspace, x, {.mode = Mode::training, .tape = &tape});
  store.zero_gradients(context);
  const Told told = listen(store, tape, [&] { program.backward(context, {&dy, 1}, tape); });
  CHECK_FALSE(told.rises);
  CHECK(told.places == std::vector<Index>{2 * each, 0});  // c before the first b, then everything
  CHECK(told.when_told == told.at_the_end);
}
