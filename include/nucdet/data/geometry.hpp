#pragma once
#include "nucdet/data/warp.hpp"

namespace nucdet::data {

/// Where crops are cut, and how they are turned and bent. Image and points move together; labels are rendered
/// afterwards.
struct Geometry {
  double rotation = 180;  ///< degrees: an angle in +- this
  bool mirror = true;
  double scale = 0.3;          ///< a factor in 1 / (1 + this) ... 1 + this
  double elastic = 2;          ///< pixels: about the largest displacement; 0: none
  Index elastic_spacing = 32;  ///< pixels between the random vectors

  static constexpr Geometry none() { return {0, false, 0, 0, 32}; }

  /// Throws ArgumentError. The elastic limit keeps the displacement one-to-one.
  void check() const {
    const bool good = rotation >= 0 && rotation <= 180 && scale >= 0 && scale <= 1 && elastic_spacing >= 4;
    if (!good)
      throw ArgumentError(message("Geometry: rotation ", rotation, " (0 to 180), scale ", scale,
                                  " (0 to 1), elastic_spacing ", elastic_spacing, " (at least 4)"));
    if (!(elastic >= 0 && elastic <= 0.2 * static_cast<double>(elastic_spacing)))
      throw ArgumentError(message("Geometry: elastic is ", elastic, " pixels, must be in [0, elastic_spacing / 5 = ",
                                  0.2 * static_cast<double>(elastic_spacing), "]"));
  }

  /// A warp for a crop of `size` from an image: its centre is drawn so that an upright crop would lie inside, and
  /// shifts come with it; what then still reaches outside is reflected.
  Warp draw(Index size, Index width, Index height, RandomStream& random) const {
    const auto place = [&](Index extent) {
      const double half = 0.5 * static_cast<double>(size), room = static_cast<double>(extent);
      return room > 2 * half ? random.uniform(half - 0.5, room - half - 0.5) : random.uniform(-0.5, room - 0.5);
    };
    Warp warp{size, {}, 1, 0, 0, 1, {}};
    warp.centre.x = place(width), warp.centre.y = place(height);
    const double angle = random.uniform(-rotation, rotation) * 3.14159265358979323846 / 180;
    const double factor = std::exp(random.uniform(-1, 1) * std::log1p(scale)),
                 flip = mirror && random.chance(0.5) ? -1 : 1;
    warp.a = factor * flip * std::cos(angle), warp.b = -factor * std::sin(angle);
    warp.c = factor * flip * std::sin(angle), warp.d = factor * std::cos(angle);
    if (elastic > 0) warp.elastic = ElasticField(size, elastic, elastic_spacing, random);
    return warp;
  }
};

}  // namespace nucdet::data
