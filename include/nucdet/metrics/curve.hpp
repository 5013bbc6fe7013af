#pragma once
#include <algorithm>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/metrics/counted.hpp"
#include "nucdet/metrics/score.hpp"

namespace nucdet::metrics {

/// One image's peaks, found once at the lowest threshold, its true centres, and where they count; all in reference
/// pixels. Centres that do not count belong here too: see `counted`.
struct Candidates {
  std::vector<Nucleus> peaks;
  std::vector<Point> truth;
  std::vector<int> truth_classes{};  ///< as many as there are true centres, or none: see AnnotatedPoints
  Areas areas{};

  /// How many true centres count.
  Index nuclei() const {
    const AreasIndex index(areas);
    return static_cast<Index>(std::count_if(truth.begin(), truth.end(), [&](Point p) { return index.count(p); }));
  }
};

struct CurvePoint {
  double xi = 0;     ///< of the image's highest peak
  double floor = 0;  ///< in the response's own units
  Score score;
};

/// The relative threshold in steps of 0.05, as the paper's authors search it.
std::vector<double> default_thresholds();

/// The peaks that remain: those of at least xi times the image's highest, wherever it is, and of at least the floor.
std::vector<Nucleus> above(const std::vector<Nucleus>& peaks, double xi, double floor = 0);

/// The peaks of an image that remain, matched, without what does not count.
template <match::Matcher M>
CountedMatch match_above(const M& matcher, const Candidates& image, double xi, double floor = 0) {
  return match_counted(matcher, image.areas, above(image.peaks, xi, floor), {image.truth, image.truth_classes});
}

/// Precision and recall, pooled over the images, for each threshold xi.
template <match::Matcher M>
std::vector<CurvePoint> precision_recall(const M& matcher, const std::vector<Candidates>& images,
                                         const std::vector<double>& thresholds, double floor = 0) {
  std::vector<CurvePoint> curve;
  for (const double xi : thresholds) {
    CurvePoint point{xi, floor, {}};
    for (const Candidates& image : images) point.score += score_of(match_above(matcher, image, xi, floor).matching);
    curve.push_back(point);
  }
  return curve;
}

/// The point of highest F1; of equals the highest xi, the stricter one. Throws ArgumentError for an empty curve.
CurvePoint best_of(const std::vector<CurvePoint>& curve);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<double> default_thresholds() {
  std::vector<double> grid;
  for (int i = 0; i <= 20; ++i) grid.push_back(i / 20.0);
  return grid;
}

NUCDET_INLINE std::vector<Nucleus> above(const std::vector<Nucleus>& peaks, double xi, double floor) {
  float highest = 0;
  for (const Nucleus& n : peaks) highest = std::max(highest, n.score);
  const float least = std::max(static_cast<float>(xi) * highest, static_cast<float>(floor));
  std::vector<Nucleus> kept;
  for (const Nucleus& n : peaks)
    if (n.score >= least) kept.push_back(n);
  return kept;
}

NUCDET_INLINE CurvePoint best_of(const std::vector<CurvePoint>& curve) {
  if (curve.empty()) throw ArgumentError("best_of: the curve has no points");
  return *std::max_element(curve.begin(), curve.end(), [](const auto& a, const auto& b) {
    const double f = a.score.f1(), g = b.score.f1();
    return f < g || (f == g && a.xi < b.xi);
  });
}

#endif

}  // namespace nucdet::metrics
