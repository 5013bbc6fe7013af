#pragma once
#include "nucdet/data/augment/step.hpp"
#include "nucdet/data/warp.hpp"
#include "nucdet/exec/parallel_for.hpp"

/// The kernels that make a batch of crops, the same source for every device.
namespace nucdet::data::detail {

inline constexpr int kMostChannels = 8;

/// One crop of a batch as a device needs it: the image it is cut from, how, and what normalises it.
struct DeviceCut {
  View<const float> image;
  WarpView warp;
  float mean[kMostChannels], inverse[kMostChannels];
};

/// Pixels of the images, values in [0, 1]. Grid: {batch, crop, crop, 1}.
struct CutPixels {
  const DeviceCut* cuts;
  View<float> crops;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index x = t.x0; x < t.x1; ++x)
      sample_bilinear(cuts[t.n].image, cuts[t.n].warp.source_of({static_cast<double>(x), static_cast<double>(t.y)}),
                      crops.pixel(t.n, t.y, x));
  }
};

/// Minus mean, over deviation. Grid: {batch, crop, crop, 1}.
struct NormalizeCuts {
  const DeviceCut* cuts;
  View<float> crops;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    const DeviceCut& cut = cuts[t.n];
    for (Index x = t.x0; x < t.x1; ++x) {
      float* const out = crops.pixel(t.n, t.y, x);
      for (Index c = 0; c < crops.shape.c; ++c) out[c] = (out[c] - cut.mean[c]) * cut.inverse[c];
    }
  }
};

/// One pass of a step over the crops that it changes. Grid: {batch, blocks, blocks, 1}.
template <class Change>
struct ApplyChanges {
  const Change* changes;
  int pass;
  View<const float> from;
  View<float> to;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Change& change = changes[t.n];
    if (!change.active) return;
    for (Index x = t.x0; x < t.x1; ++x) change.apply(pass, from, to, t.n, t.y * Change::kBlock, x * Change::kBlock);
  }
};

/// A step for a whole batch [N, H, W, C], in place; `buffer` of the same shape is for steps of two passes.
template <class D, class Change>
void apply_changes(Context<D>& context, const Change* changes, View<float> crops, View<float> buffer) {
  const Shape grid{crops.shape.n, blocks_of(crops.shape.h, Change::kBlock), blocks_of(crops.shape.w, Change::kBlock),
                   1};
  const View<float> through = Change::kPasses == 2 ? buffer : crops;
  exec::parallel_for(context, grid, ApplyChanges<Change>{changes, 0, crops, through});
  if (Change::kPasses == 2) exec::parallel_for(context, grid, ApplyChanges<Change>{changes, 1, through, crops});
}

}  // namespace nucdet::data::detail
