#pragma once
#include <utility>

#include "nucdet/core/tensor.hpp"
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/ops/activation_functors.hpp"

namespace nucdet::detect {

namespace detail {

/// p = exp(o_1) / (exp(o_0) + exp(o_1)), of the maps background and nucleus before the softmax.
struct NucleusProbability {
  View<const float> maps;
  View<float> probability;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index x = t.x0; x < t.x1; ++x) {
      const float* o = maps.pixel(t.n, t.y, x);
      *probability.pixel(t.n, t.y, x) = ops::Sigmoid{}(o[1] - o[0]);
    }
  }
};

}  // namespace detail

/// The map in which nuclei are sought: a regressor's own, or a pixel classifier's probability of a nucleus.
/// output: [N, H, W, 1 or 2] -> [N, H, W, 1]. Throws ShapeError for more maps.
template <class D>
Tensor<D> nucleus_map(Context<D>& context, Tensor<D> output) {
  const Shape s = output.shape();
  if (s.c == 1) return output;
  if (s.c != 2) throw ShapeError(message("nucleus_map: output is ", s, ", wanted 1 or 2 maps"));
  Tensor<D> map = context.make({s.n, s.h, s.w, 1});
  exec::parallel_for(
      context, map.shape(),
      detail::NucleusProbability{std::as_const(output).template view<const float>(), map.template view<float>()});
  return map;
}

}  // namespace nucdet::detect
