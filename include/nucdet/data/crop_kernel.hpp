#pragma once
#include "nucdet/data/stain.hpp"
#include "nucdet/data/warp.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::data::detail {

inline constexpr int kMostChannels = 8;

/// One crop of a batch as a device needs it: the image it is cut from and everything done to a pixel on the way.
struct DeviceCut {
  View<const float> image;
  WarpView warp;
  StainChange stain;
  bool stains;
  float mean[kMostChannels], inverse[kMostChannels];  // of the whole image: minus mean, over deviation
};

/// A pixel of a batch of crops, from the images to the network's input. Grid: {batch, crop, crop, 1}.
struct CutPixels {
  const DeviceCut* cuts;
  View<float> crops;

  NUCDET_HD void operator()(const Tile& t) const {
    const DeviceCut& cut = cuts[t.n];
    for (Index x = t.x0; x < t.x1; ++x) {
      float* const out = crops.pixel(t.n, t.y, x);
      sample_bilinear(cut.image, cut.warp.source_of({static_cast<double>(x), static_cast<double>(t.y)}), out);
      if (cut.stains) cut.stain.apply(out);
      for (Index c = 0; c < crops.shape.c; ++c) out[c] = (out[c] - cut.mean[c]) * cut.inverse[c];
    }
  }
};

}  // namespace nucdet::data::detail
