#include <limits>

#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"

#include "match/points.hpp"
#include "support/catch.hpp"

using namespace nucdet_test;
using match::HungarianMatcher;
using match::Matching;

namespace {

struct Optimum {
  Index pairs = 0;
  double total = 0;
};

/// Tries every way to give predicted points i, i + 1, ... a free true point or none.
void try_all(const std::vector<Point>& predicted, const std::vector<Point>& truth, double gate, std::size_t i,
             unsigned taken, Optimum so_far, Optimum& best) {
  if (i == predicted.size()) {
    if (so_far.pairs > best.pairs || (so_far.pairs == best.pairs && so_far.total < best.total)) best = so_far;
    return;
  }
  try_all(predicted, truth, gate, i + 1, taken, so_far, best);
  for (std::size_t j = 0; j < truth.size(); ++j) {
    const double d = std::sqrt(squared_distance(predicted[i], truth[j]));
    if ((taken >> j & 1u) == 0 && d <= gate)
      try_all(predicted, truth, gate, i + 1, taken | 1u << j, {so_far.pairs + 1, so_far.total + d}, best);
  }
}

Optimum brute_force(const std::vector<Point>& predicted, const std::vector<Point>& truth, double gate) {
  Optimum best{0, std::numeric_limits<double>::infinity()};
  try_all(predicted, truth, gate, 0, 0, {}, best);
  return best;
}

}  // namespace

TEST_CASE("hungarian: as many pairs and as short as the best of all assignments") {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const Index n = static_cast<Index>(seed % 8), m = static_cast<Index>(seed / 8 % 8);
    const double side = seed % 3 == 0 ? 20 : seed % 3 == 1 ? 35 : 60;
    std::vector<Point> predicted = scattered(n, side, seed, 0), truth = scattered(m, side, seed, 1);
    if (seed % 5 == 0) {  // many ties
      for (auto* points : {&predicted, &truth})
        for (Point& p : *points) p = {std::floor(p.x / 8) * 8, std::floor(p.y / 8) * 8};
    }
    const Matching found = HungarianMatcher{}(predicted, truth);
    const Optimum best = brute_force(predicted, truth, 16);
    INFO("seed " << seed);
    REQUIRE(sound(found, predicted, truth, 16));
    REQUIRE(found.hits() == best.pairs);
    REQUIRE(found.total_distance() == Approx(best.total).epsilon(1e-12).margin(1e-12));
  }
}

TEST_CASE("hungarian: SciPy's numbers") {
  const auto cases = golden_cases();
  REQUIRE(cases.size() == 6);
  for (const GoldenCase& c : cases) {
    const Matching found = HungarianMatcher{c.gate}(c.predicted, c.truth);
    INFO(c.name);
    CHECK(sound(found, c.predicted, c.truth, c.gate));
    CHECK(found.hits() == c.pairs);
    CHECK(found.total_distance() == Approx(c.total).epsilon(1e-10));
  }
}

TEST_CASE("hungarian: the order of the points does not matter") {
  const std::vector<Point> predicted = scattered(400, 250, 3, 0), truth = scattered(380, 250, 3, 1);
  const Matching before = HungarianMatcher{}(predicted, truth);
  std::vector<Index> place, truth_place;
  const std::vector<Point> p = shuffled(predicted, 1, place), t = shuffled(truth, 2, truth_place);
  const Matching after = HungarianMatcher{}(p, t);
  REQUIRE(before.hits() == after.hits());
  std::vector<Index> partner(p.size(), -1);
  for (const auto& pair : after.pairs) partner[static_cast<std::size_t>(pair.predicted)] = pair.truth;
  for (const auto& pair : before.pairs)
    REQUIRE(partner[static_cast<std::size_t>(place[static_cast<std::size_t>(pair.predicted)])] ==
            truth_place[static_cast<std::size_t>(pair.truth)]);
}

TEST_CASE("hungarian: exchanging the two lists exchanges the pairs' ends") {
  const std::vector<Point> a = scattered(300, 200, 5, 0), b = scattered(350, 200, 5, 1);
  const Matching forth = HungarianMatcher{}(a, b), back = HungarianMatcher{}(b, a);
  CHECK(forth.hits() == back.hits());
  CHECK(forth.false_alarms() == back.misses());
  CHECK(forth.total_distance() == Approx(back.total_distance()).epsilon(1e-12));
}

TEST_CASE("hungarian: a row of equal distances is paired whole, a chain moves by one") {
  std::vector<Point> predicted, truth;
  for (int i = 0; i < 500; ++i) predicted.push_back({20.0 * i, 5}), truth.push_back({20.0 * i + 10, 5});
  CHECK(HungarianMatcher{}(predicted, truth).total_distance() == 5000);
  // Each middle prefers its left neighbour; only the shift of the whole chain pairs all.
  predicted.insert(predicted.begin(), {-8, 5});
  truth.insert(truth.begin(), {-17, 5});
  const Matching found = HungarianMatcher{}(predicted, truth);
  CHECK(found.hits() == 501);
  std::reverse(predicted.begin(), predicted.end());
  CHECK(HungarianMatcher{}(predicted, truth).total_distance() == Approx(found.total_distance()).epsilon(1e-12));
}

TEST_CASE("hungarian: more pairs beat shorter ones") {
  // Greedy and the shortest total take the pair at distance 0 and lose one of two.
  const std::vector<Point> predicted{{0, 0}, {10, 0}}, truth{{10, 0}, {25, 0}};
  const Matching found = HungarianMatcher{}(predicted, truth);
  CHECK(found.hits() == 2);
  CHECK(found.total_distance() == 25);
  const std::vector<Point> wanted{{0, 0}, {10, 0}}, far{{10, 0}, {-9, 0}};
  CHECK(HungarianMatcher{}(wanted, far).total_distance() == 9);
}

TEST_CASE("hungarian: the gate is inclusive") {
  const std::vector<Point> origin{{0, 0}}, at{{16, 0}}, beyond{{16.0000001, 0}};
  CHECK(HungarianMatcher{}(origin, at).hits() == 1);
  CHECK(HungarianMatcher{}(origin, beyond).hits() == 0);
}

TEST_CASE("hungarian: pairs straddle cells wherever the points lie") {
  for (const double x : {-1e6, -16.0, -0.1, 0.0, 15.9999999, 3e7, 1e13}) {
    const std::vector<Point> a{{x, x}}, b{{x + 8, x - 8}}, far{{x + 64, x}};
    CHECK(HungarianMatcher{}(a, b).hits() == 1);
    CHECK(HungarianMatcher{}(a, far).hits() == 0);
  }
}

TEST_CASE("hungarian: empty lists") {
  const std::vector<Point> none, some = scattered(5, 100, 1, 0);
  CHECK(HungarianMatcher{}(none, none).hits() == 0);
  CHECK(HungarianMatcher{}(some, none).false_alarms() == 5);
  CHECK(HungarianMatcher{}(none, some).misses() == 5);
}

TEST_CASE("hungarian: large, crowded components are sound and at least as good as greedy") {
  const std::vector<Point> predicted = scattered(20000, 2000, 8, 0), truth = scattered(20000, 2000, 8, 1);
  const Matching found = HungarianMatcher{}(predicted, truth);
  const Matching greedy = match::GreedyMatcher{}(predicted, truth);
  CHECK(sound(found, predicted, truth, 16));
  CHECK(found.hits() > greedy.hits());
  const Matching again = HungarianMatcher{}(on_pixels(predicted), on_pixels(predicted));
  CHECK(again.hits() == 20000);
  CHECK(again.total_distance() == 0);
}

TEST_CASE("hungarian: what it refuses") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  const std::vector<Point> fine{{1, 1}};
  for (const double bad : {nan, infinite, -infinite, 1e200}) {
    const std::vector<Point> x{{1, 1}, {bad, 0}}, y{{0, bad}};
    CHECK_THROWS_AS(HungarianMatcher{}(x, fine), ArgumentError);
    CHECK_THROWS_AS(HungarianMatcher{}(fine, y), ArgumentError);
  }
  for (const double gate : {0.0, -1.0, nan, infinite})
    CHECK_THROWS_AS((HungarianMatcher{gate}(fine, fine)), ArgumentError);
}
