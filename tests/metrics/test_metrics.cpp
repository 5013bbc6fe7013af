#include <array>
#include <cmath>

#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/curve.hpp"
#include "nucdet/metrics/summary.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using metrics::Score;

TEST_CASE("precision, recall, F1 and distance by hand") {
  const std::vector<Point> truth{{0, 0}, {100, 0}, {200, 0}, {300, 0}}, found{{3, 4}, {100, 1}, {200, 17}, {500, 0}};
  const Score s = metrics::score(match::HungarianMatcher{16}, found, truth);
  CHECK(s.hits == 2);
  CHECK(s.false_alarms == 2);
  CHECK(s.misses == 2);
  CHECK(s.precision() == 0.5);
  CHECK(s.recall() == 0.5);
  CHECK(s.f1() == 0.5);
  CHECK(s.distance_mean() == Approx(3));
  CHECK(s.distance_deviation() == Approx(2));
  const Score scaled = metrics::score_of(match::HungarianMatcher{16}(found, truth), 0.25);
  CHECK(scaled.distance_mean() == Approx(0.75));
  CHECK(scaled.hits == 2);
}

TEST_CASE("empty lists: no wrong claim is precision 1, nothing to find is recall 1") {
  const match::HungarianMatcher matcher;
  const std::vector<Point> none, one{{5, 5}};
  const Score both = metrics::score(matcher, none, none);
  CHECK((both.precision() == 1 && both.recall() == 1 && both.f1() == 1));
  CHECK(std::isnan(both.distance_mean()));
  CHECK(std::isnan(both.distance_deviation()));
  const Score missed = metrics::score(matcher, none, one);
  CHECK((missed.precision() == 1 && missed.recall() == 0 && missed.f1() == 0));
  const Score invented = metrics::score(matcher, one, none);
  CHECK((invented.precision() == 0 && invented.recall() == 1 && invented.f1() == 0));
}

TEST_CASE("pooling adds counts; groups are pooled inside and averaged outside") {
  const Score good{9, 1, 0, 9, 9}, bad{1, 0, 9, 2, 4}, empty{};
  const auto summary =
      metrics::summarize({{"1", "kidney", good}, {"2", "kidney", bad}, {"3", "lung", good}, {"4", "skin", empty}});
  CHECK(summary.pooled.hits == 19);
  CHECK(summary.pooled.f1() == Approx(2.0 * 19 / (2 * 19 + 2 + 9)));
  CHECK(summary.images.at("kidney") == 2);
  const double kidney = 20.0 / 30, lung = 18.0 / 19;
  CHECK(summary.groups.at("kidney").f1() == Approx(kidney));
  CHECK(summary.mean_f1 == Approx((kidney + lung + 1) / 3));
  const double mean = (kidney + lung + 1) / 3;
  CHECK(summary.deviation_f1 ==
        Approx(std::sqrt(((kidney - mean) * (kidney - mean) + (lung - mean) * (lung - mean) + (1 - mean) * (1 - mean)) /
                         3)));
  CHECK(metrics::summarize({}).groups.empty());
  CHECK(metrics::summarize({}).mean_f1 == 0);
}

TEST_CASE("the curve scores each threshold, relative to each image's own highest peak") {
  const std::vector<metrics::Candidates> images{
      {{{{10, 10}, 1.0f}, {{50, 50}, 0.6f}, {{90, 90}, 0.2f}}, {{10, 10}, {50, 50}}},
      {{{{10, 10}, 0.1f}, {{50, 50}, 0.05f}}, {{10, 10}}},
      {{}, {}}};
  const match::HungarianMatcher matcher;
  const auto curve = metrics::precision_recall(matcher, images, {0.0, 0.3, 0.55, 0.7, 1.0});
  REQUIRE(curve.size() == 5);
  const auto counts = [&](std::size_t i) {
    return std::array<Index, 3>{curve[i].score.hits, curve[i].score.false_alarms, curve[i].score.misses};
  };
  CHECK(counts(0) == std::array<Index, 3>{3, 2, 0});
  CHECK(counts(1) == std::array<Index, 3>{3, 1, 0});
  CHECK(counts(2) == std::array<Index, 3>{3, 0, 0});
  CHECK(counts(3) == std::array<Index, 3>{2, 0, 1});
  CHECK(counts(4) == std::array<Index, 3>{2, 0, 1});
  CHECK(metrics::best_of(curve).xi == 0.55);
  CHECK(metrics::best_of({curve[4], curve[3]}).xi == 1.0);  // of equals the highest threshold
  CHECK_THROWS_AS(metrics::best_of({}), ArgumentError);
  CHECK(metrics::default_thresholds().size() == 21);
  const auto floored = metrics::precision_recall(matcher, images, {0.0}, 0.15);
  CHECK(floored[0].score.hits == 2);  // the second image's only nucleus is below the floor, and so is its false alarm
  CHECK(floored[0].score.false_alarms == 1);
  CHECK(floored[0].floor == 0.15);
}
