#include "read_starts.hpp"

#include <algorithm>
#include <cmath>

namespace nucdet::slide::detail {

ReadStarts::ReadStarts(Index size, double downsample) : downsample_(downsample) {
  const double off_a_pixel = std::abs(downsample - std::round(downsample));
  free_ = off_a_pixel * static_cast<double>(size) < kExact * downsample;
  starts_.push_back(0);
  if (free_) return;
  while (starts_.back() + kPiece < size) {
    const Index first = starts_.back() + kPiece, last = std::min(size - 1, starts_.back() + 4 * kPiece);
    Index best = first;
    double least = 1;
    for (Index x = first; x <= last; ++x) {
      const double off = std::max(shift(x), kExact);  // of several exact ones the last
      if (off < least || (off == least && off == kExact)) best = x, least = off;
    }
    starts_.push_back(best);
  }
}

Index ReadStarts::position(Index start) const {
  return static_cast<Index>(std::llround(static_cast<double>(start) * downsample_));
}

double ReadStarts::shift(Index start) const {
  return std::abs(static_cast<double>(position(start)) / downsample_ - static_cast<double>(start));
}

}  // namespace nucdet::slide::detail
