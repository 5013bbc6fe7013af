#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/match/matching.hpp"
#include "nucdet/metrics/curve.hpp"
#include "nucdet/metrics/summary.hpp"
#include "nucdet/models/dataset.hpp"

#include "../commands.hpp"
#include "../inputs.hpp"

/// What the parts of an evaluation share.
namespace nucdet::program::evaluation {

/// A matcher chosen at run time; distances in reference pixels.
struct ChosenMatcher {
  std::function<match::Matching(std::span<const Point>, std::span<const Point>)> match;
  match::Matching operator()(std::span<const Point> predicted, std::span<const Point> truth) const {
    return match(predicted, truth);
  }
};

ChosenMatcher matcher_of(const std::string& name, double gate);

/// One image's peaks and truth in reference pixels.
struct Scored {
  Input input;
  double scale = 1;  ///< that took the image there
  metrics::Candidates candidates{};
};

/// The thresholds in use. What is found elsewhere, and regions, are taken whole.
struct Thresholds {
  detect::LocalMaxima peaks{.absolute = 0};
  float full_response = 5;

  /// What the curve is over: xi where the model has one, as in the paper, else the score.
  bool relative() const { return peaks.relative > 0; }
};

/// The peaks that the thresholds keep, matched, without what does not count.
inline metrics::CountedMatch matched(const ChosenMatcher& matcher, const Scored& s, const Thresholds& use) {
  return metrics::match_above(matcher, s.candidates, use.peaks.relative, static_cast<double>(use.peaks.absolute));
}

/// Over xi beside the absolute threshold in use, or over scores from 0.05 to 1 of the full scale.
std::vector<metrics::CurvePoint> curve_of(const ChosenMatcher& matcher, const std::vector<metrics::Candidates>& images,
                                          const Thresholds& use);

}  // namespace nucdet::program::evaluation
