#pragma once
#include <cmath>

#include "nucdet/exec/parallel_for.hpp"

/// Reflection at the border, the same for pixels and for points: half-sample symmetric, pixel -1 is pixel 0, pixel -2
/// is pixel 1. The mirrors stand at -1/2 and at size - 1/2.
namespace nucdet::data {

/// The pixel that stands in for pixel i of an axis of `size` pixels.
NUCDET_HD constexpr Index reflect(Index i, Index size) {
  const Index period = 2 * size, within = (i % period + period) % period;
  return within < size ? within : period - 1 - within;
}

/// The same for a position between pixels.
NUCDET_HD inline double reflect(double x, double size) {
  const double period = 2 * size, t = x + 0.5 - period * std::floor((x + 0.5) / period);
  return (t <= size ? t : period - t) - 0.5;
}

/// Where the m-th mirrored copy of a point lies (copy 0 is the point itself; copies -1 and 1 are its neighbours).
inline double mirrored(double x, Index copy, double size) {
  const double m = static_cast<double>(copy);
  return copy % 2 == 0 ? x + m * size : (m + 1) * size - 1 - x;
}

constexpr Index round_up(Index size, Index multiple) { return (size + multiple - 1) / multiple * multiple; }

namespace detail {

struct ReflectInto {
  View<const float> x;
  Index top, left;
  View<float> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index row = reflect(t.y + top, x.shape.h);
    for (Index i = t.x0; i < t.x1; ++i) {
      const float* p = x.pixel(t.n, row, reflect(i + left, x.shape.w));
      float* q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = p[c];
    }
  }
};

}  // namespace detail

/// Fills y with the rectangle of x that starts at (top, left), reflected where it reaches beyond x.
template <class D>
void copy_reflected(Context<D>& context, View<const float> x, Index top, Index left, View<float> y) {
  if (x.shape.count() == 0 || x.shape.n != y.shape.n || x.shape.c != y.shape.c)
    throw ShapeError(message("copy_reflected: input is ", x.shape, ", output ", y.shape));
  exec::parallel_for(context, y.shape, detail::ReflectInto{x, top, left, y});
}

}  // namespace nucdet::data
