#pragma once
#include <cmath>

#include "nucdet/core/view.hpp"
#include "nucdet/data/pad.hpp"

namespace nucdet::data::detail {

/// One half of a normalised Gaussian of sigma up to 3 pixels, cut at 3 sigma.
struct GaussianLine {
  static constexpr int kMost = 9;
  int reach = 0;
  float weight[kMost + 1] = {1};

  GaussianLine() = default;
  explicit GaussianLine(double sigma) : reach(static_cast<int>(std::ceil(3 * sigma))) {
    reach = reach > kMost ? kMost : reach;
    double sum = 0, raw[kMost + 1];
    for (int k = 0; k <= reach; ++k) {
      raw[k] = std::exp(-0.5 * k * k / (sigma * sigma));
      sum += k == 0 ? raw[k] : 2 * raw[k];
    }
    for (int k = 0; k <= reach; ++k) weight[k] = static_cast<float>(raw[k] / sum);
  }

  /// The sum at one pixel of channel c, along rows or columns; reflected beyond the crop.
  template <bool Rows>
  NUCDET_HD float at(const View<const float>& x, Index n, Index row, Index column, Index c) const {
    float sum = weight[0] * x.pixel(n, row, column)[c];
    for (int k = 1; k <= reach; ++k) {
      const Index before = reflect((Rows ? column : row) - k, Rows ? x.shape.w : x.shape.h),
                  after = reflect((Rows ? column : row) + k, Rows ? x.shape.w : x.shape.h);
      const float* const a = Rows ? x.pixel(n, row, before) : x.pixel(n, before, column);
      const float* const b = Rows ? x.pixel(n, row, after) : x.pixel(n, after, column);
      sum += weight[k] * (a[c] + b[c]);
    }
    return sum;
  }
};

}  // namespace nucdet::data::detail
