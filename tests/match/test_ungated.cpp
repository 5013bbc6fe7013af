#include <limits>

#include "nucdet/match/hungarian.hpp"
#include "nucdet/match/ungated.hpp"

#include "match/points.hpp"
#include "support/catch.hpp"

using namespace nucdet_test;
using match::Matching;
using match::UngatedThenFilter;

TEST_CASE("ungated: SciPy's numbers") {
  Index checked = 0;
  for (const GoldenCase& c : golden_cases()) {
    if (c.ungated_pairs < 0) continue;
    const Matching found = UngatedThenFilter{c.gate}(c.predicted, c.truth);
    INFO(c.name);
    CHECK(sound(found, c.predicted, c.truth, c.gate));
    CHECK(found.hits() == c.ungated_pairs);
    CHECK(found.total_distance() == Approx(c.ungated_total).epsilon(1e-10));
    ++checked;
  }
  CHECK(checked == 5);
}

TEST_CASE("ungated: the least total distance of all points loses a pair that the gated matcher finds") {
  // 10 + 10 = 20, both within the gate of 12, against 0 + 18.97, where the pair at 18.97 is then dropped.
  const std::vector<Point> predicted{{0, 0}, {10, 0}}, truth{{10, 0}, {18, 6}};
  const Matching ungated = UngatedThenFilter{}(predicted, truth);
  CHECK(ungated.hits() == 1);
  CHECK(ungated.total_distance() == 0);
  CHECK(match::HungarianMatcher{12}(predicted, truth).hits() == 2);
}

TEST_CASE("ungated: empty lists, coinciding and far points") {
  const std::vector<Point> none, same(7, Point{3, 3}), far{{1e100, -1e100}, {-1e100, 1e100}, {3, 3}};
  CHECK(UngatedThenFilter{}(none, none).hits() == 0);
  CHECK(UngatedThenFilter{}(none, same).misses() == 7);
  CHECK(UngatedThenFilter{}(same, none).false_alarms() == 7);
  CHECK(UngatedThenFilter{}(same, same).hits() == 7);
  CHECK(UngatedThenFilter{}(far, same).predicted == 3);
}

TEST_CASE("ungated: what it refuses") {
  const std::vector<Point> one{{1, 1}}, bad{{1, std::numeric_limits<double>::infinity()}}, many(11, Point{});
  CHECK_THROWS_AS(UngatedThenFilter{}(bad, one), ArgumentError);
  CHECK_THROWS_AS(UngatedThenFilter{}(one, bad), ArgumentError);
  CHECK_THROWS_AS(UngatedThenFilter{-1}(one, one), ArgumentError);
  CHECK_THROWS_AS((UngatedThenFilter{.limit = 10}(one, many)), ArgumentError);
  CHECK_NOTHROW(UngatedThenFilter{.limit = 11}(one, many));
}
