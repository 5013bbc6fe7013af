#pragma once
#include <optional>

#include "nucdet/nn/layers.hpp"

namespace nucdet::nn::detail {

/// The activation of a layer, if it is one that the op before it can apply.
template <class D>
std::optional<ops::Fused> fusible_activation(const Layer<D>& layer) {
  using Kind = ops::Fused::Kind;
  if (const auto* elu = dynamic_cast<const ActivationLayer<ops::Elu, D>*>(&layer))
    return ops::Fused{Kind::elu, elu->function().alpha};
  if (dynamic_cast<const ActivationLayer<ops::Relu, D>*>(&layer) != nullptr) return ops::Fused{Kind::relu, 0};
  if (const auto* leaky = dynamic_cast<const ActivationLayer<ops::LeakyRelu, D>*>(&layer))
    return ops::Fused{Kind::leaky_relu, leaky->function().negative_slope};
  if (dynamic_cast<const ActivationLayer<ops::Sigmoid, D>*>(&layer) != nullptr) return ops::Fused{Kind::sigmoid, 0};
  return std::nullopt;
}

}  // namespace nucdet::nn::detail
