#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/label/profile.hpp"

namespace nucdet::label {

/// The classes of nuclei as a label: every pixel within `radius` of a nucleus centre tells the class of the nearest
/// one.
///   y = 1 + class of the nearest centre if that is at most `radius` away, else 0
/// 0 is for pixels that say nothing: no centre is near, or the class of the nearest is unknown. Of centres at the same
/// distance the first one counts. radius: pixels. check() throws ArgumentError unless 0 <= radius <= 4096.
/// Not a LabelProfile, as its value depends on more than a distance: label/render_classes.hpp draws it.
struct ClassDisc {
  float radius = 8;

  NUCDET_HD double reach() const { return static_cast<double>(radius); }
  void check() const;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE void ClassDisc::check() const {
  detail::check_range("ClassDisc: radius", static_cast<double>(radius), 0, kLargestReach);
}

#endif

}  // namespace nucdet::label
