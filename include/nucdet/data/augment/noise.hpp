#pragma once
#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// A sensor's noise: a normal number for each pixel and channel, in part the same for the three channels.
struct Noise {
  static constexpr const char* kName = "noise";
  double chance = 0.3;
  double most = 0.04;  ///< deviation, of values in [0, 1]

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    bool active = false;
    float own = 0, common = 0;  ///< deviations
    Philox random{};

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      const float* const in = from.pixel(n, y, x);
      float* const out = to.pixel(n, y, x);
      const auto words = random.block(static_cast<std::uint64_t>(y * from.shape.w + x));
      const float shared = common * detail::normal_of(words.word[3]);
      for (Index c = 0; c < from.shape.c; ++c)
        out[c] = detail::clamp_unit(in[c] + shared + own * detail::normal_of(words.word[c % 3]));
    }
  };

  void check() const { detail::check_range("noise chance", chance, 0, 1), detail::check_range(kName, most, 0, 0.5); }
  Change draw(Index, RandomStream& random) const {
    Change change;
    change.active = random.chance(chance) && most > 0;
    change.own = static_cast<float>(random.uniform(0, most)),
    change.common = static_cast<float>(random.uniform(0, most));
    change.random = {static_cast<std::uint64_t>(random.below(Index{1} << 52)), random.stream};
    return change;
  }
};

}  // namespace nucdet::data
