#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "nucdet/core/annotated_points.hpp"
#include "nucdet/core/area_index.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/match/matching.hpp"

namespace nucdet::metrics {

/// The nuclei whose centres count, in their order.
std::vector<Nucleus> within(const Areas& areas, std::vector<Nucleus> nuclei);

/// Detections and annotated nuclei that count, in the order in which they were given, and which belong together.
struct CountedMatch {
  std::vector<Nucleus> predicted;
  AnnotatedPoints truth;
  match::Matching matching;
};

/// What of a matching counts. Nuclei count by their annotated centre, detections by the nucleus that they were matched
/// with, and by their own centre where they were matched with none. So a detection just outside of the counted area is
/// a hit if its nucleus lies inside; it is no false alarm just inside if its nucleus lies outside; and what was found
/// outside is neither. all: of these detections and nuclei.
CountedMatch counted(const Areas& areas, match::Matching all, std::vector<Nucleus> predicted, AnnotatedPoints truth);

/// Matches everything, then leaves out what does not count: see `counted`.
template <match::Matcher M>
CountedMatch match_counted(const M& matcher, const Areas& areas, std::vector<Nucleus> predicted,
                           AnnotatedPoints truth) {
  match::Matching all = matcher(centres_of(predicted), truth.points);
  return counted(areas, std::move(all), std::move(predicted), std::move(truth));
}

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<Nucleus> within(const Areas& areas, std::vector<Nucleus> nuclei) {
  const AreasIndex counted(areas);
  std::erase_if(nuclei, [&](const Nucleus& n) { return !counted.count(n.centre); });
  return nuclei;
}

NUCDET_INLINE CountedMatch counted(const Areas& areas, match::Matching all, std::vector<Nucleus> predicted,
                                   AnnotatedPoints truth) {
  if (areas.everywhere()) return {std::move(predicted), std::move(truth), std::move(all)};
  const AreasIndex index(areas);
  constexpr Index none = -1;
  CountedMatch kept;
  std::vector<Index> new_place(truth.points.size(), none), partner(predicted.size(), none);
  for (std::size_t i = 0; i < truth.points.size(); ++i) {
    if (!index.count(truth.points[i])) continue;
    new_place[i] = kept.matching.truth++;
    kept.truth.points.push_back(truth.points[i]);
    if (!truth.classes.empty()) kept.truth.classes.push_back(truth.classes[i]);
  }
  std::vector<double> distance(predicted.size(), 0);
  for (const match::Matching::Pair& pair : all.pairs) {
    partner[static_cast<std::size_t>(pair.predicted)] = pair.truth;
    distance[static_cast<std::size_t>(pair.predicted)] = pair.distance;
  }
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const Index truth_place = partner[i] == none ? none : new_place[static_cast<std::size_t>(partner[i])];
    if (partner[i] == none ? !index.count(predicted[i].centre) : truth_place == none) continue;
    if (truth_place != none) kept.matching.pairs.push_back({kept.matching.predicted, truth_place, distance[i]});
    ++kept.matching.predicted;
    kept.predicted.push_back(predicted[i]);
  }
  return kept;
}

#endif

}  // namespace nucdet::metrics
