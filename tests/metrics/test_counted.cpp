#include <array>

#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/class_score.hpp"
#include "nucdet/metrics/curve.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

/// Left of x = 100, but not the box around (50, 50).
Areas left_half() {
  return {{Area{{{{-1, -1}, {100, -1}, {100, 200}, {-1, 200}}}}}, {Area{{{{40, 40}, {60, 40}, {60, 60}, {40, 60}}}}}};
}

std::vector<Nucleus> nuclei(const std::vector<Point>& centres) {
  std::vector<Nucleus> all;
  for (const Point& p : centres) all.push_back({p, 1, static_cast<int>(all.size() % 2), 1});
  return all;
}

metrics::CountedMatch scored(const std::vector<Point>& found, const std::vector<Point>& truth) {
  return metrics::match_counted(match::HungarianMatcher{16}, left_half(), nuclei(found), {truth, {}});
}

}  // namespace

TEST_CASE("counted: a nucleus counts by its annotation, an unmatched detection by itself") {
  const auto counts = [](const metrics::CountedMatch& m) {
    return std::array<Index, 3>{m.matching.hits(), m.matching.false_alarms(), m.matching.misses()};
  };
  using Counts = std::array<Index, 3>;
  CHECK(counts(scored({{20, 20}}, {{21, 20}})) == Counts{1, 0, 0});
  CHECK(counts(scored({{103, 20}}, {{97, 20}})) == Counts{1, 0, 0});   // found outside, annotated inside
  CHECK(counts(scored({{97, 20}}, {{103, 20}})) == Counts{0, 0, 0});   // found inside, annotated outside
  CHECK(counts(scored({{150, 20}}, {{151, 20}})) == Counts{0, 0, 0});  // both outside
  CHECK(counts(scored({{150, 20}}, {})) == Counts{0, 0, 0});
  CHECK(counts(scored({}, {{150, 20}})) == Counts{0, 0, 0});
  CHECK(counts(scored({{20, 20}}, {})) == Counts{0, 1, 0});
  CHECK(counts(scored({}, {{20, 20}})) == Counts{0, 0, 1});
  CHECK(counts(scored({{50, 50}}, {{52, 50}})) == Counts{0, 0, 0});  // ignored
  CHECK(counts(scored({{62, 50}}, {{58, 50}})) == Counts{0, 0, 0});
  CHECK(counts(scored({{58, 50}}, {{62, 50}})) == Counts{1, 0, 0});
  // Of two detections beside the border the nearer one is the nucleus outside; the other is a false alarm.
  CHECK(counts(scored({{99, 20}, {90, 20}}, {{101, 20}})) == Counts{0, 1, 0});
}

TEST_CASE("counted: what remains keeps its order, its classes and its partners") {
  const std::vector<Nucleus> found = nuclei({{150, 9}, {20, 20}, {103, 80}, {97, 120}, {30, 150}});
  const AnnotatedPoints truth{{{160, 100}, {97, 81}, {104, 121}, {22, 20}, {10, 190}}, {0, 1, 0, 1, 0}};
  const auto kept = metrics::match_counted(match::HungarianMatcher{16}, left_half(), found, truth);
  REQUIRE(kept.predicted.size() == 3);  // (150, 9) is outside and nobody's, (97, 120) belongs to (104, 121) outside
  CHECK(kept.predicted[0].centre == Point{20, 20});
  CHECK(kept.predicted[1].centre == Point{103, 80});
  CHECK(kept.predicted[2].centre == Point{30, 150});
  CHECK(kept.truth == AnnotatedPoints{{{97, 81}, {22, 20}, {10, 190}}, {1, 1, 0}});
  REQUIRE(kept.matching.pairs.size() == 2);
  CHECK((kept.matching.pairs[0].predicted == 0 && kept.matching.pairs[0].truth == 1));
  CHECK((kept.matching.pairs[1].predicted == 1 && kept.matching.pairs[1].truth == 0));
  CHECK(kept.matching.pairs[0].distance == Approx(2));
  metrics::ClassScore score(2);
  score.add(kept);
  CHECK(score.count(1, 1) == 1);             // (20, 20), class 1
  CHECK(score.count(1, 0) == 1);             // (103, 80), class 0, is of class 1
  CHECK(score.count(0, score.none()) == 1);  // (10, 190) is missed
  CHECK(score.count(score.none(), 0) == 1);  // (30, 150)
  CHECK(score.detection().hits == 2);
}

TEST_CASE("counted: without areas everything is as it was; of detections alone those inside remain") {
  const std::vector<Point> found{{20, 20}, {150, 20}, {50, 50}}, truth{{21, 20}, {90, 90}};
  const auto all = metrics::match_counted(match::HungarianMatcher{16}, {}, nuclei(found), {truth, {}});
  CHECK(centres_of(all.predicted) == found);
  CHECK(all.truth.points == truth);
  CHECK(all.matching.hits() == 1);
  CHECK(centres_of(metrics::within({}, nuclei(found))) == found);
  CHECK(centres_of(metrics::within(left_half(), nuclei(found))) == std::vector<Point>{{20, 20}});
}

TEST_CASE("counted: curves leave out what does not count at each threshold") {
  metrics::Candidates image{nuclei({{20, 20}, {103, 80}, {150, 9}, {30, 150}}), {{22, 20}, {97, 80}, {150, 150}}};
  image.peaks[1].score = 0.6f, image.peaks[3].score = 0.4f;
  const match::HungarianMatcher matcher{16};
  CHECK(image.nuclei() == 3);
  CHECK(metrics::precision_recall(matcher, {image}, {0}, 0.0)[0].score.false_alarms == 2);
  image.areas = left_half();
  CHECK(image.nuclei() == 2);
  const auto at = [&](double floor) {
    const metrics::Score s = metrics::precision_recall(matcher, {image}, {0}, floor)[0].score;
    return std::array<Index, 3>{s.hits, s.false_alarms, s.misses};
  };
  CHECK(at(0) == std::array<Index, 3>{2, 1, 0});
  CHECK(at(0.5) == std::array<Index, 3>{2, 0, 0});
  CHECK(at(0.7) == std::array<Index, 3>{1, 0, 1});
}
