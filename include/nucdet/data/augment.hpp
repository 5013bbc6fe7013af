#pragma once
#include <tuple>

#include "nucdet/data/augment/blur.hpp"
#include "nucdet/data/augment/dust.hpp"
#include "nucdet/data/augment/glass.hpp"
#include "nucdet/data/augment/jpeg.hpp"
#include "nucdet/data/augment/margin.hpp"
#include "nucdet/data/augment/noise.hpp"
#include "nucdet/data/augment/pen.hpp"
#include "nucdet/data/augment/resolution.hpp"
#include "nucdet/data/augment/sharpen.hpp"
#include "nucdet/data/augment/stain.hpp"
#include "nucdet/data/augment/tone.hpp"
#include "nucdet/data/geometry.hpp"

namespace nucdet::data {

/// How crops are varied: a geometry, then steps in the order of the list, each drawn anew for every crop. One's own
/// step is one more struct in the list. Steps are for RGB; crops of other images are only turned and bent.
template <AugmentationStep... Steps>
struct Augmentation {
  Geometry geometry{};
  std::tuple<Steps...> steps{};

  /// What is drawn for one crop.
  using Changes = std::tuple<typename Steps::Change...>;

  template <AugmentationStep S>
  S& step() {
    return std::get<S>(steps);
  }
  template <AugmentationStep S>
  const S& step() const {
    return std::get<S>(steps);
  }

  /// Throws ArgumentError.
  void check() const {
    geometry.check();
    (step<Steps>().check(), ...);
  }
  Changes draw(Index size, RandomStream& random) const {
    return Changes{step<Steps>().draw(size, random)...};  // in the order of the list: braces
  }
};

/// The steps in the order in which an image comes about: the stain, what lies on the glass, the optics, the sensor, and
/// the file.
using StandardAugmentation =
    Augmentation<Stain, Glass, Pen, Dust, Resolution, Blur, Tone, Noise, Sharpen, Margin, Jpeg>;

/// No changes at all: upright crops.
inline StandardAugmentation no_augmentation() {
  StandardAugmentation none;
  none.geometry = Geometry::none();
  std::apply([](auto&... step) { ((step.chance = 0), ...); }, none.steps);
  return none;
}

}  // namespace nucdet::data
