#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "nucdet/data/pad.hpp"

namespace nucdet::detect {

namespace detail {

/// exp(-i^2 / (2 sigma^2)) for |i| <= reach, scaled to the sum 1.
inline std::vector<float> gaussian_weights(double sigma, Index reach) {
  const auto bell = [&](Index i) { return std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma)); };
  double sum = 0;
  for (Index i = -reach; i <= reach; ++i) sum += bell(i);
  std::vector<float> weights;
  for (Index i = -reach; i <= reach; ++i) weights.push_back(static_cast<float>(bell(i) / sum));
  return weights;
}

/// y += weight * x for `width` pixels of c channels; x_step, y_step: from pixel to pixel.
inline void add_scaled(float weight, const float* x, Index x_step, float* y, Index y_step, Index width, Index c) {
  if (x_step == c && y_step == c) {
    for (Index i = 0; i < width * c; ++i) y[i] += weight * x[i];
    return;
  }
  for (Index i = 0; i < width; ++i)
    for (Index ch = 0; ch < c; ++ch) y[i * y_step + ch] += weight * x[i * x_step + ch];
}

}  // namespace detail

/// y = x blurred by a Gaussian of `sigma` pixels (cut at 3 sigma, reflected at the border): takes plateaus off a
/// classifier's probabilities before peaks are sought. Maps of any number of channels; x and y must not overlap.
inline void smooth(Context<Cpu>& context, View<const float> x, double sigma, View<float> y) {
  if (!(sigma > 0 && sigma <= 100)) throw ArgumentError(message("smooth: sigma is ", sigma, ", must be in (0, 100]"));
  if (x.shape != y.shape || x.shape.n != 1)
    throw ShapeError(message("smooth: input is ", x.shape, ", output ", y.shape));
  if (x.shape.count() == 0) return;
  const Index reach = static_cast<Index>(std::ceil(3 * sigma)), c = x.shape.c, w = x.shape.w;
  const std::vector<float> weights = detail::gaussian_weights(sigma, reach);
  const auto scratch = context.scratch<float>((w + 2 * reach) * c);
  context.run(x.shape.h, [&](Index row, int worker) {
    float *line = scratch[worker], *inner = line + reach * c;
    std::fill_n(inner, w * c, 0.0f);
    for (Index k = -reach; k <= reach; ++k) {
      const float weight = weights[static_cast<std::size_t>(k + reach)];
      const Index from = data::reflect(row + k, x.shape.h);
      detail::add_scaled(weight, x.pixel(0, from, 0), x.pixel_stride, inner, c, w, c);
    }
    for (Index i = 1; i <= reach; ++i) {
      std::copy_n(inner + data::reflect(-i, w) * c, c, inner - i * c);
      std::copy_n(inner + data::reflect(w - 1 + i, w) * c, c, inner + (w - 1 + i) * c);
    }
    for (Index i = 0; i < w; ++i) std::fill_n(y.pixel(0, row, i), c, 0.0f);
    for (Index k = 0; k <= 2 * reach; ++k) {
      const float weight = weights[static_cast<std::size_t>(k)];
      detail::add_scaled(weight, line + k * c, c, y.pixel(0, row, 0), y.pixel_stride, w, c);
    }
  });
}

}  // namespace nucdet::detect
