#pragma once
#include <algorithm>
#include <cmath>

#include "nucdet/match/matching.hpp"

namespace nucdet::metrics {

/// Detection counts and the distances of the hits. Scores of several images are pooled by +=.
struct Score {
  Index hits = 0, false_alarms = 0, misses = 0;
  double distance_sum = 0, distance_squares = 0;  ///< of the hits, pixels

  /// Hits over detections; 1 if nothing was detected (no claim was wrong).
  double precision() const { return ratio(hits, hits + false_alarms); }
  /// Hits over true nuclei; 1 if there are none.
  double recall() const { return ratio(hits, hits + misses); }
  /// 2 hits / (2 hits + false alarms + misses); 1 for an empty image in which nothing was found.
  double f1() const { return ratio(2 * hits, 2 * hits + false_alarms + misses); }
  /// ED: mean and standard deviation (over the hits) of the distance to the truth; NaN without hits.
  double distance_mean() const { return distance_sum / static_cast<double>(hits); }
  double distance_deviation() const {
    const double mean = distance_mean();
    return std::sqrt(std::max(distance_squares / static_cast<double>(hits) - mean * mean, 0.0));  // NaN stays NaN
  }

  Score& operator+=(const Score& o) {
    hits += o.hits, false_alarms += o.false_alarms, misses += o.misses;
    distance_sum += o.distance_sum, distance_squares += o.distance_squares;
    return *this;
  }

 private:
  static double ratio(Index part, Index whole) {
    return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

/// The score of a matching. `scale` takes its distances to the pixels that are reported.
inline Score score_of(const match::Matching& matching, double scale = 1.0) {
  Score score{matching.hits(), matching.false_alarms(), matching.misses(), 0, 0};
  for (const auto& pair : matching.pairs) {
    const double d = pair.distance * scale;
    score.distance_sum += d, score.distance_squares += d * d;
  }
  return score;
}

/// Matches and scores in one.
template <match::Matcher M>
Score score(const M& matcher, std::span<const Point> predicted, std::span<const Point> truth) {
  return score_of(matcher(predicted, truth));
}

}  // namespace nucdet::metrics
