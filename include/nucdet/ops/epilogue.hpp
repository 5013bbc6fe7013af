#pragma once
#include "nucdet/core/view.hpp"
#include "nucdet/ops/activation.hpp"

namespace nucdet::ops {

/// The activations that a convolution can apply before it stores.
struct Fused {
  enum class Kind { none, elu, relu, leaky_relu, sigmoid };
  Kind kind = Kind::none;
  float parameter = 0;  ///< ELU's alpha, leaky ReLU's negative slope
};

/// What happens to a convolution's sum before it is stored: y = last(first(sum + bias) + residual).
template <class T>
struct Epilogue {
  const T* bias = nullptr;  ///< one a channel, or null
  Fused first;
  View<const T> residual;  ///< of y's shape, or null
  Fused last;
};

/// Applies the activation to `count` contiguous values.
template <class T>
void apply(const Fused& fused, T* values, Index count) {
  const auto each = [=](const auto& f) {
    for (Index i = 0; i < count; ++i) values[i] = f(values[i]);
  };
  switch (fused.kind) {
    case Fused::Kind::none:
      return;
    case Fused::Kind::elu:
      return each(Elu{fused.parameter});
    case Fused::Kind::relu:
      return each(Relu{});
    case Fused::Kind::leaky_relu:
      return each(LeakyRelu{fused.parameter});
    case Fused::Kind::sigmoid:
      return each(Sigmoid{});
  }
}

}  // namespace nucdet::ops
