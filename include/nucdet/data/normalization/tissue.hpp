#pragma once
#include <algorithm>

#include "nucdet/data/normalization/fixed.hpp"

namespace nucdet::data {

/// Whether a pixel shows H&E: haematoxylin and eosin both absorb green most, so that green is the lowest of the three
/// channels by some margin. Glass, grey and black have no margin, pens of blue and green have it the other way round.
struct IsTissue {
  float chroma = 0.04f;  ///< least (red + blue) / 2 - green, of values in [0, 1]

  NUCDET_HD bool operator()(const float* rgb) const {
    const float lower = rgb[0] < rgb[2] ? rgb[0] : rgb[2];
    return rgb[1] <= lower && 0.5f * (rgb[0] + rgb[2]) - rgb[1] >= chroma;
  }
};

namespace detail {

struct TissueMoments {
  View<const float> x;
  IsTissue tissue;
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<double>& sums) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const float* p = x.pixel(t.n, t.y, i);
      if (!tissue(p)) continue;
      for (Index c = t.c0; c < t.c1; ++c) {
        const double v = static_cast<double>(p[c]);
        sums(0, c) += v, sums(1, c) += v * v, sums(2, c) += 1;
      }
    }
  }
};

}  // namespace detail

/// Mean and deviation of the tissue's pixels, glass and pen left out; taken once an image. For stains far from those of
/// the training set; an image with little tissue keeps the constants.
struct TissueNormalization {
  static constexpr const char* kName = "tissue";

  FixedNormalization otherwise{};
  IsTissue tissue{};
  double least = 4096;  ///< pixels of tissue that are enough: a square of 64

  /// image: [1, H, W, 3], RGB in [0, 1]. Throws ShapeError for another shape, NumericError for infinite values; NaN is
  /// no tissue.
  template <class D>
  ChannelStatistics operator()(Context<D>& context, View<const float> image) const {
    if (image.shape.n != 1 || image.shape.c != 3 || image.shape.count() == 0)
      throw ShapeError(message("TissueNormalization: image is ", image.shape, ", wanted one of RGB"));
    const DeviceArray<double, D> on_device(context, 9);
    exec::reduce_columns<double, 3>(context, image.shape, 1, detail::TissueMoments{image, tissue}, on_device.data());
    const std::vector<double> sums = on_device.read(context);
    if (sums[6] < least) return otherwise(context, image);
    return statistics_from({sums.data(), 3}, {sums.data() + 3, 3}, sums[6]);
  }
};

}  // namespace nucdet::data
