#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace nucdet::slide::detail {

/// Otsu's threshold of a histogram (IEEE Trans. SMC 9:62, 1979): how many of the bins are the lower class, so that the
/// variance between the two is largest; of several such, the middle one. 0 where there is only one class.
inline double otsu(std::span<const std::uint64_t> histogram) {
  double all = 0, moment = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    all += static_cast<double>(histogram[i]);
    moment += static_cast<double>(histogram[i]) * static_cast<double>(i);
  }
  double best = 0, below = 0, moment_below = 0;
  std::size_t first = 0, last = 0;
  for (std::size_t i = 0; i + 1 < histogram.size(); ++i) {
    below += static_cast<double>(histogram[i]);
    moment_below += static_cast<double>(histogram[i]) * static_cast<double>(i);
    if (below == 0 || below == all) continue;
    const double apart = moment_below / below - (moment - moment_below) / (all - below);
    const double variance = below * (all - below) * apart * apart;
    if (variance > best) best = variance, first = i + 1;
    if (variance == best) last = i + 1;
  }
  return 0.5 * static_cast<double>(first + last);
}

}  // namespace nucdet::slide::detail
