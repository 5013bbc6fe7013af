#pragma once
#include <vector>

#include "nucdet/core/shape.hpp"

namespace nucdet::slide::detail {

/// Where on an axis of a level a library may be asked to begin, if it takes positions as whole pixels of level 0 and
/// interpolates between those of the level.
///
/// A level's downsample is the quotient of two sizes in pixels, 4.00012 say. Then pixel x of the level lies between two
/// pixels of level 0, and what is read from the nearest is shifted by a part of a pixel that differs from one x to
/// another: the same pixel would come out differently in two rectangles. So an axis is cut into pieces once and for
/// all, and each is read from its own beginning. A beginning is the most exact position among some: where one fits, the
/// pixels are those of the file; else the shift is at most half a pixel of level 0, of the last piece below one.
class ReadStarts {
 public:
  /// Pixels of a level that libraries take for a whole number: cairo rounds to 1/256.
  static constexpr double kExact = 1.0 / 512;
  /// Pixels of a piece; the last may have fewer.
  static constexpr Index kPiece = 256, kMostOfPiece = 2048;

  ReadStarts(Index size, double downsample);

  /// The pieces' beginnings, the first is 0; one alone where all positions are exact.
  const std::vector<Index>& all() const { return starts_; }
  /// All positions are exact: any may be a beginning.
  bool free() const { return free_; }
  /// The pixel of level 0 to ask for.
  Index position(Index start) const;
  /// Pixels of the level between `start` and the position that is asked for.
  double shift(Index start) const;

 private:
  double downsample_;
  bool free_ = false;
  std::vector<Index> starts_;
};

}  // namespace nucdet::slide::detail
