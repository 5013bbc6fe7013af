#pragma once
#include <cmath>
#include <string>
#include <utility>

#include "nucdet/core/tensor.hpp"
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/nn/head.hpp"
#include "nucdet/ops/activation_functors.hpp"

namespace nucdet::detect {

namespace detail {

/// p = 1 - exp(o_0) / sum over k of exp(o_k), of the scores of the background and of the classes before the softmax;
/// of two maps 1 / (1 + exp(o_0 - o_1)).
struct NucleusProbability {
  View<const float> maps;
  View<float> probability;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index x = t.x0; x < t.x1; ++x) *probability.pixel(t.n, t.y, x) = of(maps.pixel(t.n, t.y, x));
  }

 private:
  NUCDET_HD float of(const float* o) const {
    if (maps.shape.c == 2) return ops::Sigmoid{}(o[1] - o[0]);
    float highest = o[1];
    for (Index k = 2; k < maps.shape.c; ++k) highest = o[k] > highest ? o[k] : highest;
    float sum = 0;
    for (Index k = 1; k < maps.shape.c; ++k) sum += std::exp(o[k] - highest);
    return ops::Sigmoid{}(highest + std::log(sum) - o[0]);
  }
};

}  // namespace detail

/// The map in which nuclei are sought: a regressor's own, or a pixel classifier's probability that a pixel is none of
/// the background. output: [N, H, W, maps] -> [N, H, W, 1]. Throws ShapeError for a number of maps that the head has
/// not, ArgumentError for a network without a head.
template <class D>
Tensor<D> nucleus_map(Context<D>& context, nn::Head::Kind head, Tensor<D> output) {
  const Shape s = output.shape();
  const bool softmax = head == nn::Head::Kind::softmax;
  if (head == nn::Head::Kind::none)
    throw ArgumentError("nucleus_map: the network's type names no head: what its maps mean is not known");
  if (softmax ? s.c < 2 : s.c != 1)
    throw ShapeError(message("nucleus_map: output is ", s, ", wanted ", softmax ? "at least 2 maps" : "1 map", " of a ",
                             nn::name_of(head), " head"));
  if (!softmax) return output;
  Tensor<D> map = context.make({s.n, s.h, s.w, 1});
  exec::parallel_for(
      context, map.shape(),
      detail::NucleusProbability{std::as_const(output).template view<const float>(), map.template view<float>()});
  return map;
}

}  // namespace nucdet::detect
