#pragma once
#include <map>
#include <string>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/metrics/score.hpp"

namespace nucdet::metrics {

/// The score of one image.
struct ImageScore {
  std::string name, group;
  Score score;
};

/// Scores pooled within each group (organ), over everything, and the spread of F1 over the groups, as the paper reports
/// it.
struct Summary {
  std::map<std::string, Score> groups;
  std::map<std::string, Index> images;  ///< in each group
  Score pooled;
  double mean_f1 = 0, deviation_f1 = 0;  ///< over the groups (population deviation); 0 without groups
};

Summary summarize(const std::vector<ImageScore>& scores);

#ifdef NUCDET_INLINE

NUCDET_INLINE Summary summarize(const std::vector<ImageScore>& scores) {
  Summary summary;
  for (const ImageScore& s : scores) {
    summary.groups[s.group] += s.score;
    ++summary.images[s.group];
    summary.pooled += s.score;
  }
  if (summary.groups.empty()) return summary;
  const double count = static_cast<double>(summary.groups.size());
  for (const auto& [name, s] : summary.groups) summary.mean_f1 += s.f1() / count;
  double squares = 0;
  for (const auto& [name, s] : summary.groups) squares += (s.f1() - summary.mean_f1) * (s.f1() - summary.mean_f1);
  summary.deviation_f1 = std::sqrt(squares / count);
  return summary;
}

#endif

}  // namespace nucdet::metrics
