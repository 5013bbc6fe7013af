#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/curve.hpp"

namespace nucdet::train {

/// The least score that is tried as a threshold: candidates are collected down to it.
inline constexpr float kLeastThreshold = 0.04f;

/// How validation settles the thresholds.
struct ThresholdSearch {
  /// The rule, and the response that scores 1; its thresholds are kept where there are too few nuclei to choose by.
  detect::LocalMaxima peaks{};
  bool relative = false;     ///< try the paper's threshold xi too, with few absolute ones
  Index least_nuclei = 200;  ///< annotated and counted, over all sets
  bool wants_nuclei = true;  ///< refuse to validate without a single nucleus; else F1 means nothing, the loss does
};

/// What was found in the images of each data set, by its name.
using FoundInSets = std::map<std::string, std::vector<metrics::Candidates>>;

/// A pair of thresholds and F1 with it: of each set, pooled over its images, and their mean.
struct ThresholdChoice {
  double xi = 0, floor = 0, mean_f1 = 0, worst_f1 = 0;
  std::vector<std::pair<std::string, double>> sets{};
};

/// F1 of each set at a pair of thresholds.
template <match::Matcher M = match::HungarianMatcher>
ThresholdChoice score_sets(const FoundInSets& found, double xi, double floor, const M& matcher = {}) {
  ThresholdChoice at{.xi = xi, .floor = floor, .mean_f1 = 0, .worst_f1 = 1};
  for (const auto& [name, images] : found) {
    const auto curve = metrics::precision_recall(matcher, images, {xi}, floor);
    const double f1 = curve.front().score.f1();
    at.sets.push_back({name, f1});
    at.mean_f1 += f1 / static_cast<double>(found.size()), at.worst_f1 = std::min(at.worst_f1, f1);
  }
  return at;
}

/// The thresholds that are best on the mean of the sets; of equals the stricter ones. Absolute ones are tried in steps
/// of 2 % of the full scale up to 80 %, or with `relative` from 4 % to about half of it together with xi in steps of
/// 0.05.
template <match::Matcher M = match::HungarianMatcher>
ThresholdChoice choose_thresholds(const FoundInSets& found, const ThresholdSearch& search, const M& matcher = {}) {
  Index nuclei = 0;
  for (const auto& [name, images] : found)
    for (const metrics::Candidates& image : images) nuclei += image.nuclei();
  if (nuclei < search.least_nuclei)
    return score_sets(found, search.peaks.relative, static_cast<double>(search.peaks.absolute), matcher);
  std::vector<int> percents;
  const int least = static_cast<int>(std::lround(100 * kLeastThreshold));
  for (int percent = least; percent <= (search.relative ? 52 : 80); percent += search.relative ? 8 : 2)
    percents.push_back(percent);
  const std::vector<double> relatives = search.relative ? metrics::default_thresholds() : std::vector<double>{0};
  ThresholdChoice best{.mean_f1 = -1};
  for (const int percent : percents)
    for (const double xi : relatives) {
      ThresholdChoice tried =
          score_sets(found, xi, 0.01 * percent * static_cast<double>(search.peaks.full_scale), matcher);
      if (tried.mean_f1 >= best.mean_f1) best = std::move(tried);
    }
  return best;
}

}  // namespace nucdet::train
