#pragma once
#include "nucdet/data/normalization/statistics.hpp"

namespace nucdet::data {

/// Mean and deviation of the whole image. (The paper takes them per patch; then two tiles of one image would disagree.)
/// What surrounds the tissue changes what is found in it: for the paper's studies, and for weights trained that way.
struct ImageNormalization {
  static constexpr const char* kName = "image";

  template <class D>
  ChannelStatistics operator()(Context<D>& context, View<const float> image) const {
    return statistics_of(context, image);
  }
};

}  // namespace nucdet::data
