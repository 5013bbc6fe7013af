#include <limits>

#include "nucdet/match/greedy.hpp"

#include "match/points.hpp"
#include "support/catch.hpp"

using namespace nucdet_test;
using match::GreedyMatcher;
using match::Matching;

TEST_CASE("greedy: takes the nearest pair again and again") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto predicted = on_pixels(scattered(40, 90, seed, 0)), truth = on_pixels(scattered(35, 90, seed, 1));
    const Matching found = GreedyMatcher{12}(predicted, truth);
    REQUIRE(sound(found, predicted, truth, 12));
    std::vector<Index> partner(predicted.size(), -1), owner(truth.size(), -1);
    for (;;) {  // the lowest (distance, predicted, truth) of all pairs that are left
      double nearest = 12 + 1e-9;
      std::size_t a = 0, b = 0;
      for (std::size_t i = 0; i < predicted.size(); ++i)
        for (std::size_t j = 0; j < truth.size(); ++j)
          if (const double d = std::sqrt(squared_distance(predicted[i], truth[j]));
              partner[i] < 0 && owner[j] < 0 && d < nearest)
            nearest = d, a = i, b = j;
      if (nearest > 12) break;
      partner[a] = static_cast<Index>(b), owner[b] = static_cast<Index>(a);
    }
    Index pairs = 0;
    for (const Index p : partner) pairs += p >= 0;
    REQUIRE(found.hits() == pairs);
    for (const auto& pair : found.pairs) REQUIRE(partner[static_cast<std::size_t>(pair.predicted)] == pair.truth);
  }
}

TEST_CASE("greedy: may find fewer pairs than there are") {
  const std::vector<Point> predicted{{0, 0}, {10, 0}}, truth{{10, 0}, {25, 0}};
  const Matching found = GreedyMatcher{}(predicted, truth);
  CHECK(found.hits() == 1);
  CHECK(found.false_alarms() == 1);
  CHECK(found.misses() == 1);
}

TEST_CASE("greedy: empty lists, and what it refuses") {
  const std::vector<Point> none, one{{1, 1}}, bad{{std::numeric_limits<double>::quiet_NaN(), 1}};
  CHECK(GreedyMatcher{}(none, one).misses() == 1);
  CHECK(GreedyMatcher{}(one, none).false_alarms() == 1);
  CHECK_THROWS_AS(GreedyMatcher{}(bad, one), ArgumentError);
  CHECK_THROWS_AS(GreedyMatcher{}(one, bad), ArgumentError);
  CHECK_THROWS_AS(GreedyMatcher{0}(one, one), ArgumentError);
}
