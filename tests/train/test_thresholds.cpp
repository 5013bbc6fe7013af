// The thresholds that validation chooses.
#include "nucdet/train/thresholds.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

/// An image with nuclei found at these scores, true ones first.
metrics::Candidates image(const std::vector<float>& hits, const std::vector<float>& false_alarms) {
  metrics::Candidates c;
  double x = 0;
  for (const float score : hits) { c.peaks.push_back({{x += 100, 10}, score}), c.truth.push_back({x, 10}); }
  for (const float score : false_alarms) c.peaks.push_back({{x += 100, 10}, score});
  return c;
}

train::ThresholdSearch search(bool relative) {
  return {.peaks = {.radius = 5, .relative = 0.4, .absolute = 1.5f}, .relative = relative, .least_nuclei = 1};
}

}  // namespace

TEST_CASE("one absolute threshold serves images with and without nuclei; of equals the strictest is taken") {
  const train::FoundInSets found{{"", {image({4.0f, 1.9f}, {}), image({}, {0.5f, 0.2f})}}};
  const train::ThresholdChoice best = train::choose_thresholds(found, search(false));
  CHECK((best.xi == 0 && best.mean_f1 == 1 && best.worst_f1 == 1));
  CHECK(best.floor == Approx(1.9));
  // The paper's threshold alone cannot: a fraction of the highest never drops the highest.
  const metrics::CurvePoint alone = metrics::best_of(
      metrics::precision_recall(match::HungarianMatcher{}, found.at(""), metrics::default_thresholds(), 0.2));
  CHECK(alone.score.false_alarms == 1);
  const train::ThresholdChoice both = train::choose_thresholds(found, search(true));
  CHECK((both.mean_f1 == 1 && both.xi > 0));
}

TEST_CASE("thresholds are the best on the mean of the sets, however large one is") {
  // The large set would like a threshold below 1, the two small ones one above 2.
  const std::vector<float> low(50, 1.0f), high(5, 3.0f), noise(5, 1.5f);
  const train::FoundInSets found{{"large", {image(low, {})}}, {"b", {image(high, noise)}}, {"c", {image(high, noise)}}};
  const train::ThresholdChoice best = train::choose_thresholds(found, search(false));
  // At most 1: F1 is 1, 2/3, 2/3; above 1.5: 0, 1, 1.
  CHECK(best.floor <= 1.0);
  CHECK(best.mean_f1 == Approx((1 + 4.0 / 3) / 3));
  CHECK(best.worst_f1 == Approx(2.0 / 3));
  REQUIRE(best.sets.size() == 3);
  CHECK((best.sets[2].first == "large" && best.sets[2].second == 1));
}

TEST_CASE("with too few nuclei to choose by, thresholds stay what they were") {
  const train::FoundInSets found{{"", {image({4.0f, 1.2f}, {})}}};
  train::ThresholdSearch few = search(false);
  few.least_nuclei = 200, few.peaks.relative = 0;
  const train::ThresholdChoice kept = train::choose_thresholds(found, few);
  CHECK((kept.floor == 1.5 && kept.xi == 0));
  CHECK(kept.mean_f1 == Approx(2.0 / 3));
}
