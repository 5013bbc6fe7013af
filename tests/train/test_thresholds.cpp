// The two thresholds that validation chooses.
#include "nucdet/train/validate.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("a floor is chosen with the relative threshold: an image without nuclei has a highest response too") {
  const std::vector<metrics::Candidates> images{{{{{10, 10}, 4.0f}, {{50, 50}, 1.9f}}, {{10, 10}, {50, 50}}},
                                                {{{{20, 20}, 0.5f}, {{70, 70}, 0.2f}}, {}}};
  const metrics::CurvePoint best = train::detail::best_thresholds(images, 0.2);
  CHECK(best.score.f1() == 1);
  CHECK(best.floor == Approx(0.6));  // the lowest multiple above 0.5
  CHECK(best.xi == 0.45);            // the strictest that keeps 1.9 of 4

  const metrics::CurvePoint alone = metrics::best_of(
      metrics::precision_recall(match::HungarianMatcher{}, images, metrics::default_thresholds(), 0.2));
  CHECK(alone.score.f1() < 1);  // no fraction of the highest drops the highest
  CHECK(alone.score.false_alarms == 1);
}
