#pragma once
#include <cmath>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/data/pad.hpp"

namespace nucdet::detect {

namespace detail {

/// Pixels that a blur looks away.
inline Index blur_reach(double sigma) { return static_cast<Index>(std::ceil(3 * sigma)); }

/// exp(-i^2 / (2 sigma^2)) for |i| <= reach, scaled to the sum 1.
std::vector<float> gaussian_weights(double sigma, Index reach);

/// One axis of a blur: y = sum over k of weights[k + reach] x[k pixels away], reflected at the border.
struct BlurAxis {
  View<const float> x;
  View<float> y;
  const float* weights;  // 2 reach + 1
  Index reach;
  bool down;

  /// y += weight * x for pixels [from, to) of a row, `step` pixels away.
  NUCDET_HD void add(float weight, const exec::Tile& t, Index row, Index from, Index to, Index step) const {
    const Index channels = t.c1 - t.c0;
    if (from >= to) return;
    const float* in = x.pixel(t.n, row, from + step) + t.c0;
    float* out = y.pixel(t.n, t.y, from) + t.c0;
    if (x.pixel_stride == channels && y.pixel_stride == channels) {
      for (Index i = 0; i < (to - from) * channels; ++i) out[i] += weight * in[i];
      return;
    }
    for (Index i = 0; i < to - from; ++i)
      for (Index c = 0; c < channels; ++c) out[i * y.pixel_stride + c] += weight * in[i * x.pixel_stride + c];
  }
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i)
      for (Index c = t.c0; c < t.c1; ++c) y.pixel(t.n, t.y, i)[c] = 0;
    for (Index k = -reach; k <= reach; ++k) {
      const float weight = weights[k + reach];
      if (down) {
        add(weight, t, data::reflect(t.y + k, x.shape.h), t.x0, t.x1, 0);
        continue;
      }
      // The pixels that look inside the image, and one by one those that look beyond its border.
      Index from = k < 0 ? -k : 0, to = x.shape.w - (k > 0 ? k : 0);
      from = from < t.x0 ? t.x0 : (from < t.x1 ? from : t.x1), to = to > t.x1 ? t.x1 : (to > from ? to : from);
      add(weight, t, t.y, from, to, k);
      for (Index i = t.x0; i < t.x1; ++i) {
        if (i == from) i = to;
        if (i < t.x1) add(weight, t, t.y, i, i + 1, data::reflect(i + k, x.shape.w) - i);
      }
    }
  }
};

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<float> gaussian_weights(double sigma, Index reach) {
  const auto bell = [&](Index i) { return std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma)); };
  double sum = 0;
  for (Index i = -reach; i <= reach; ++i) sum += bell(i);
  std::vector<float> weights;
  for (Index i = -reach; i <= reach; ++i) weights.push_back(static_cast<float>(bell(i) / sum));
  return weights;
}

#endif

}  // namespace detail

/// y = x blurred by a Gaussian of `sigma` pixels (cut at 3 sigma, reflected at the border): takes plateaus off a
/// classifier's probabilities before peaks are sought. Maps of any number of images and channels; x and y must not
/// overlap.
template <class D>
void smooth(Context<D>& context, View<const float> x, double sigma, View<float> y) {
  if (!(sigma > 0 && sigma <= 100)) throw ArgumentError(message("smooth: sigma is ", sigma, ", must be in (0, 100]"));
  if (x.shape != y.shape) throw ShapeError(message("smooth: input is ", x.shape, ", output ", y.shape));
  if (x.shape.count() == 0) return;
  const Index reach = detail::blur_reach(sigma);
  const std::vector<float> bell = detail::gaussian_weights(sigma, reach);
  const DeviceArray<float, D> weights(context, bell.data(), bell.size());
  Tensor<D> between = context.make(x.shape);
  exec::parallel_for(context, x.shape,
                     detail::BlurAxis{x, between.template view<float>(), weights.data(), reach, true});
  exec::parallel_for(
      context, x.shape,
      detail::BlurAxis{std::as_const(between).template view<const float>(), y, weights.data(), reach, false});
}

}  // namespace nucdet::detect
