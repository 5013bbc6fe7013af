#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/class_score.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using metrics::ClassScore;

namespace {

/// Nuclei far apart on a line, and detections one pixel beside them: 0 stands for "nothing here".
struct Row {
  int truth, found;  ///< classes; kNothing: no nucleus, no detection
};
constexpr int kNothing = -9;

ClassScore score_of(int classes, const std::vector<Row>& rows) {
  AnnotatedPoints truth;
  std::vector<Nucleus> found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double x = 100 * static_cast<double>(i);
    if (rows[i].truth != kNothing) truth.points.push_back({x, 0}), truth.classes.push_back(rows[i].truth);
    if (rows[i].found != kNothing) found.push_back({{x + 1, 0}, 1, rows[i].found, 0.9f});
  }
  ClassScore score(classes);
  score.add(match::HungarianMatcher{}, found, truth);
  return score;
}

}  // namespace

TEST_CASE("class scores by hand: hits, confusions, misses, false alarms, and nuclei of unknown class") {
  const ClassScore s = score_of(3, {{0, 0},
                                    {0, 0},
                                    {0, 1},
                                    {0, kNothing},
                                    {1, 1},
                                    {1, kUnknownClass},
                                    {2, 0},
                                    {kNothing, 0},
                                    {kNothing, 2},
                                    {kNothing, kUnknownClass},
                                    {kUnknownClass, 0},
                                    {kUnknownClass, 2},
                                    {kUnknownClass, kNothing}});
  CHECK(s.count(0, 0) == 2);
  CHECK(s.count(0, 1) == 1);
  CHECK(s.count(2, 0) == 1);
  CHECK(s.count(0, s.none()) == 1);
  CHECK(s.count(1, s.unknown()) == 1);
  CHECK(s.count(s.none(), 0) == 1);
  CHECK(s.count(s.none(), s.unknown()) == 1);
  CHECK(s.count(s.unknown(), 2) == 1);
  CHECK(s.count(s.unknown(), s.none()) == 1);
  CHECK(s.count(s.none(), s.none()) == 0);
  // Class 0: false alarms are the 2 found as 0 and the one on nothing; the unknown nucleus found as 0 is none.
  CHECK((s.of(0).hits == 2 && s.of(0).false_alarms == 2 && s.of(0).misses == 2));
  CHECK((s.of(1).hits == 1 && s.of(1).false_alarms == 1 && s.of(1).misses == 1));
  CHECK((s.of(2).hits == 0 && s.of(2).false_alarms == 1 && s.of(2).misses == 1));
  CHECK(s.of(0).precision() == 0.5);
  CHECK(s.of(1).f1() == 0.5);
  CHECK(s.mean_f1() == Approx((0.5 + 0.5 + 0) / 3));
  const metrics::Score found = s.detection();
  CHECK((found.hits == 8 && found.false_alarms == 3 && found.misses == 2));
}

TEST_CASE("class scores: the F1 of a class is HoVer-Net's with equal weights, and detection is the plain score") {
  RandomStream random{12};
  AnnotatedPoints truth;
  std::vector<Nucleus> found;
  for (int k = 0; k < 300; ++k) {
    const Point p{random.uniform(0, 900), random.uniform(0, 900)};
    truth.points.push_back(p), truth.classes.push_back(static_cast<int>(random.below(5)) - 1);
    if (random.chance(0.8))
      found.push_back(
          {{p.x + 4 * random.normal(), p.y + 4 * random.normal()}, 1, static_cast<int>(random.below(4)), 0.5f});
  }
  const auto check = [&](const auto& matcher) {
    ClassScore score(4);
    score.add(matcher, found, truth);
    const match::Matching matching = matcher(centres_of(found), truth.points);
    for (int c = 0; c < 4; ++c) {
      // As `_f1_type` of HoVer-Net's compute_stats.py counts, in its own order.
      Index tp = 0, fp = 0, fn = 0, fp_d = 0, fn_d = 0;
      std::vector<bool> of_truth(truth.points.size()), of_found(found.size());
      for (const auto& pair : matching.pairs) {
        const int t = truth.classes[static_cast<std::size_t>(pair.truth)],
                  p = found[static_cast<std::size_t>(pair.predicted)].class_id;
        of_truth[static_cast<std::size_t>(pair.truth)] = of_found[static_cast<std::size_t>(pair.predicted)] = true;
        tp += t == c && p == c, fp += t != c && p == c, fn += t == c && p != c;
        fp -= t == kUnknownClass && p == c;
      }
      for (std::size_t i = 0; i < of_truth.size(); ++i) fn_d += !of_truth[i] && truth.classes[i] == c;
      for (std::size_t i = 0; i < of_found.size(); ++i) fp_d += !of_found[i] && found[i].class_id == c;
      CHECK(score.of(c).f1() ==
            Approx(2.0 * static_cast<double>(tp) / static_cast<double>(2 * tp + fp + fn + fp_d + fn_d)));
      CHECK(tp > 3);
    }
    const metrics::Score plain = metrics::score_of(matching), all = score.detection();
    CHECK((plain.hits == all.hits && plain.false_alarms == all.false_alarms && plain.misses == all.misses));
  };
  check(match::HungarianMatcher{}), check(match::GreedyMatcher{});
}

TEST_CASE("class scores: pooling, classes that are not there, and what is refused") {
  ClassScore sum = score_of(3, {{0, 0}, {1, 0}});
  sum += score_of(3, {{0, 0}, {kNothing, 0}});
  CHECK((sum.of(0).hits == 2 && sum.of(0).false_alarms == 2));
  CHECK(sum.mean_f1() == Approx((4.0 / 6 + 0) / 2));  // class 2 is nowhere
  CHECK(ClassScore(3).mean_f1() == 1);
  ClassScore plain(2);  // no classes at all: detection only
  plain.add(match::HungarianMatcher{}, {{{0, 0}, 1}}, {{{0, 0}, {50, 0}}, {}});
  CHECK((plain.detection().hits == 1 && plain.detection().misses == 1));
  CHECK(plain.of(0).misses == 0);
  CHECK_THROWS_AS(sum += ClassScore(2), ArgumentError);
  CHECK_THROWS_AS(ClassScore(0), ArgumentError);
  CHECK(ClassScore(1, {3, 0, 1, 0, 0, 0, 2, 0, 0}).of(0).f1() == 6.0 / 9);
  CHECK_THROWS_AS(ClassScore(1, {3, 0, 1}), ArgumentError);
  CHECK_THROWS_AS(ClassScore(1, {3, 0, -1, 0, 0, 0, 2, 0, 0}), ArgumentError);
  CHECK_THROWS_AS(ClassScore(kMostClasses + 1), ArgumentError);
  CHECK_THROWS_AS(sum.count(5, 0), ArgumentError);
  CHECK_THROWS_WITH(score_of(2, {{0, 2}}), Catch::Matchers::Contains("class 2 among the detections"));
  CHECK_THROWS_WITH(plain.add(match::HungarianMatcher{}, {}, {{{0, 0}, {50, 0}}, {1}}),
                    Catch::Matchers::Contains("1 classes for 2 nuclei"));
}
