#pragma once
#include "nucdet/data/normalization/statistics.hpp"

namespace nucdet::data {

/// Constants, the same for every image: those of the training set. What a pixel becomes depends on nothing around it,
/// so that glass stays glass and a tile is a piece of its slide.
struct FixedNormalization {
  static constexpr const char* kName = "fixed";

  /// By default those of typical H&E, RGB in [0, 1]; a weight file has its own.
  ChannelStatistics statistics{{0.70f, 0.55f, 0.68f}, {0.17f, 0.19f, 0.15f}};

  template <class D>
  ChannelStatistics operator()(Context<D>&, View<const float>) const {
    return statistics;
  }
};

}  // namespace nucdet::data
