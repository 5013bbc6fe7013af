#include "nucdet/core/config.hpp"
#include "nucdet/loss/pixel_loss.hpp"

#include "loss/slope.hpp"

namespace {

struct NoSlope {
  template <class T>
  T value(const T*, const T*, const T*, int) const {
    return 0;
  }
  int target_maps(int maps) const { return maps; }
};

/// A user's own loss, as the concept's comment describes it.
struct Huber {
  float delta = 1;
  template <class T>
  NUCDET_HD T value(const T* o, const T* y, const T*, int) const {
    const T e = o[0] < y[0] ? y[0] - o[0] : o[0] - y[0], d = static_cast<T>(delta);
    return e <= d ? e * e / 2 : d * (e - d / 2);
  }
  template <class T>
  NUCDET_HD void slope(const T* o, const T* y, const T*, int, T* out) const {
    const T e = o[0] - y[0], d = static_cast<T>(delta);
    out[0] = e > d ? d : e < -d ? -d : e;
  }
  NUCDET_HD int target_maps(int maps) const { return maps == 1 ? 1 : 0; }
};

}  // namespace

TEST_CASE("loss: the concept takes a loss of one's own and refuses half of one") {
  STATIC_REQUIRE(nucdet::loss::PixelLoss<Huber>);
  STATIC_REQUIRE_FALSE(nucdet::loss::PixelLoss<NoSlope>);
  STATIC_REQUIRE_FALSE(nucdet::loss::PixelLoss<int>);
  check_slope(Huber{.delta = 0.75f}, 1);
}
