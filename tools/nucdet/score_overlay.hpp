#pragma once
#include <vector>

#include "nucdet/core/annotated_points.hpp"
#include "nucdet/data/resample.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/io/overlay.hpp"
#include "nucdet/metrics/counted.hpp"

namespace nucdet::program {

/// Marks for hits, false alarms and misses. Points come in reference pixels, marks go in the image's own (`scale` took
/// them there).
inline std::vector<io::OverlayMark> score_marks(const metrics::CountedMatch& found, double scale) {
  const std::vector<Nucleus>& nuclei = found.predicted;
  const std::vector<Point>& truth = found.truth.points;
  std::vector<bool> hit(nuclei.size(), false), seen(truth.size(), false);
  std::vector<io::OverlayMark> marks;
  for (const auto& pair : found.matching.pairs) {
    const std::size_t i = static_cast<std::size_t>(pair.predicted), j = static_cast<std::size_t>(pair.truth);
    hit[i] = seen[j] = true;
    marks.push_back({data::to_source(nuclei[i].centre, scale), io::MarkKind::hit, data::to_source(truth[j], scale),
                     nuclei[i].class_id, found.truth.class_of(j)});
  }
  for (std::size_t i = 0; i < nuclei.size(); ++i)
    if (!hit[i])
      marks.push_back({data::to_source(nuclei[i].centre, scale), io::MarkKind::false_alarm, {}, nuclei[i].class_id});
  for (std::size_t j = 0; j < truth.size(); ++j)
    if (!seen[j]) marks.push_back({data::to_source(truth[j], scale), io::MarkKind::miss, {}, found.truth.class_of(j)});
  return marks;
}

}  // namespace nucdet::program
