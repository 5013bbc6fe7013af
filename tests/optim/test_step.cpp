#include <cmath>
#include <limits>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using optim::Adam;
using optim::Segment;
using optim::Sgd;

namespace {

std::vector<float> random_numbers(std::size_t count, std::uint64_t seed) {
  RandomStream random{seed};
  std::vector<float> numbers(count);
  for (float& v : numbers) v = static_cast<float>(random.normal());
  return numbers;
}

constexpr std::size_t kWeights = 50001;

struct Store {
  explicit Store(int states)
      : values(random_numbers(kWeights, 1)),
        gradients(random_numbers(kWeights, 2)),
        state(kWeights * static_cast<std::size_t>(states)) {}
  std::vector<float> values, gradients, state;
};

template <class Rule>
Store stepped(const Rule& rule, int threads, const std::vector<Segment>& segments) {
  Context<Cpu> context({.threads = threads});
  Store s(Rule::states);
  for (int i = 0; i < 3; ++i) optim::step(context, rule, 0.01, i, s.values, s.gradients, s.state, segments);
  return s;
}

}  // namespace

TEST_CASE("optim: frozen segments and gaps keep every bit, the others move as if alone") {
  const std::vector<Segment> segments{{0, 5000}, {5000, 20000, true, true}, {25010, 24000}};
  const auto check = [&](const auto& rule) {
    const Store start(rule.states), all = stepped(rule, 2, {}), some = stepped(rule, 2, segments);
    bool as_expected = true;
    for (std::size_t i = 0; i < kWeights; ++i) {
      const bool moves = i < 5000 || (i >= 25010 && i < 49010);
      as_expected = as_expected && some.values[i] == (moves ? all.values[i] : start.values[i]) &&
                    some.state[i] == (moves ? all.state[i] : 0.0f) && (!moves || some.values[i] != start.values[i]);
    }
    CHECK(as_expected);
  };
  check(Sgd{});
  check(Adam{});
}

TEST_CASE("optim: a segment without decay steps as with a decay of 0") {
  const std::vector<Segment> segments{{0, 30000}, {30000, 20001, false}};
  const auto check = [&](auto rule) {
    rule.decay = 0.1;
    const Store mixed = stepped(rule, 1, segments), with = stepped(rule, 1, {});
    rule.decay = 0;
    const Store without = stepped(rule, 1, {});
    CHECK(std::equal(mixed.values.begin(), mixed.values.begin() + 30000, with.values.begin()));
    CHECK(std::equal(mixed.values.begin() + 30000, mixed.values.end(), without.values.begin() + 30000));
    CHECK(with.values != without.values);
  };
  check(Sgd{});
  check(Adam{});
  check(Adam{.decoupled = true});
}

TEST_CASE("optim: one, two and five threads give the same bits") {
  for (const int threads : {2, 5}) {
    CHECK(stepped(Sgd{}, threads, {}).values == stepped(Sgd{}, 1, {}).values);
    CHECK(stepped(Adam{}, threads, {}).values == stepped(Adam{}, 1, {}).values);
  }
}

TEST_CASE("optim: what a step refuses") {
  Context<Cpu> context({.threads = 1});
  std::vector<float> values(4), gradients(4), state(4), shorter(3);
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(optim::step(context, Sgd{}, 0.1, 0, values, shorter, state), ShapeError);
  CHECK_THROWS_AS(optim::step(context, Sgd{}, 0.1, 0, values, gradients, shorter), ShapeError);
  CHECK_THROWS_AS(optim::step(context, Adam{}, 0.1, 0, values, gradients, state), ShapeError);
  CHECK_THROWS_AS(optim::step(context, Sgd{}, nan, 0, values, gradients, state), ArgumentError);
  CHECK_THROWS_AS(optim::step(context, Sgd{}, -0.1, 0, values, gradients, state), ArgumentError);
  CHECK_THROWS_AS(optim::step(context, Sgd{}, 0.1, -1, values, gradients, state), ArgumentError);
  CHECK_THROWS_AS(optim::step(context, Sgd{.momentum = 2}, 0.1, 0, values, gradients, state), ArgumentError);
  const std::vector<Segment> outside{{0, 5}};
  CHECK_THROWS_AS(optim::step(context, Sgd{}, 0.1, 0, values, gradients, state, outside), ShapeError);
  std::vector<float> none;
  CHECK_NOTHROW(optim::step(context, Sgd{}, 0.1, 0, none, none, none));
}
