#pragma once
#include <cmath>
#include <vector>

#include "nucdet/data/pad.hpp"

namespace nucdet::detect {

/// y = x blurred by a Gaussian of `sigma` pixels (cut at 3 sigma, reflected at the border): takes plateaus off a
/// classifier's probabilities before peaks are sought. Maps of any number of channels; x and y must not overlap.
inline void smooth(Context<Cpu>& context, View<const float> x, double sigma, View<float> y) {
  if (!(sigma > 0 && sigma <= 100)) throw ArgumentError(message("smooth: sigma is ", sigma, ", must be in (0, 100]"));
  if (x.shape != y.shape || x.shape.n != 1)
    throw ShapeError(message("smooth: input is ", x.shape, ", output ", y.shape));
  const Index reach = static_cast<Index>(std::ceil(3 * sigma)), c = x.shape.c, w = x.shape.w;
  std::vector<float> weights;
  double sum = 0;
  for (Index i = -reach; i <= reach; ++i) sum += std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma));
  for (Index i = -reach; i <= reach; ++i)
    weights.push_back(static_cast<float>(std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma)) / sum));
  const auto scratch = context.scratch<float>((w + 2 * reach) * c);
  context.run(x.shape.h, [&](Index row, int worker) {
    float* line = scratch[worker];
    std::fill_n(line, (w + 2 * reach) * c, 0.0f);
    for (Index k = -reach; k <= reach; ++k)
      for (Index i = -reach; i < w + reach; ++i) {
        const float* p = x.pixel(0, data::reflect(row + k, x.shape.h), data::reflect(i, w));
        for (Index ch = 0; ch < c; ++ch)
          line[(i + reach) * c + ch] += weights[static_cast<std::size_t>(k + reach)] * p[ch];
      }
    for (Index i = 0; i < w; ++i) {
      float* q = y.pixel(0, row, i);
      for (Index ch = 0; ch < c; ++ch) {
        float value = 0;
        for (Index k = 0; k <= 2 * reach; ++k) value += weights[static_cast<std::size_t>(k)] * line[(i + k) * c + ch];
        q[ch] = value;
      }
    }
  });
}

}  // namespace nucdet::detect
