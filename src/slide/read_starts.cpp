#include "read_starts.hpp"

#include <algorithm>
#include <cmath>

namespace nucdet::slide::detail {

namespace {

/// Half a pixel of level 0 off at most; the last piece rather begins too early, by less than one: what is too late
/// mixes the level's last pixels with what lies beyond it.
Index position_of(Index start, double downsample, bool last) {
  const double exact = static_cast<double>(start) * downsample;
  return static_cast<Index>(last ? std::floor(exact + ReadStarts::kExact * downsample) : std::round(exact));
}
double shift_of(Index start, double downsample, bool last) {
  return std::abs(static_cast<double>(position_of(start, downsample, last)) / downsample - static_cast<double>(start));
}

}  // namespace

ReadStarts::ReadStarts(Index size, double downsample) : downsample_(downsample) {
  const double off_a_pixel = std::abs(downsample - std::round(downsample));
  free_ = off_a_pixel * static_cast<double>(size) < kExact * downsample;
  starts_.push_back(0);
  while (!free_ && starts_.back() + kMostOfPiece < size) {
    Index best = 0;
    double least = 2;
    for (Index x = starts_.back() + kPiece; x <= starts_.back() + kMostOfPiece; ++x) {
      const double off = std::max(shift_of(x, downsample, x + kMostOfPiece >= size), kExact);
      if (off < least || (off == least && off == kExact)) best = x, least = off;  // of several exact ones the last
    }
    starts_.push_back(best);
  }
}

Index ReadStarts::position(Index start) const {
  return position_of(start, downsample_, !free_ && start == starts_.back());
}

double ReadStarts::shift(Index start) const { return shift_of(start, downsample_, !free_ && start == starts_.back()); }

}  // namespace nucdet::slide::detail
