#pragma once
#include "nucdet/core/view.hpp"
#include "nucdet/ops/activation.hpp"

namespace nucdet::ops {

/// What happens to a convolution's sum before it is stored: y = last(first(sum + bias) + residual).
template <class T>
struct Epilogue {
  const compute_t<T>* bias = nullptr;  ///< one a channel, or null
  Fused first;
  View<const T> residual;  ///< of y's shape, or null
  Fused last;
};

/// Calls body(functor) with the activation; false, and no call, if there is none.
template <class Body>
bool with_activation(const Fused& fused, const Body& body) {
  switch (fused.kind) {
    case Fused::Kind::elu:
      body(Elu{fused.parameter});
      return true;
    case Fused::Kind::relu:
      body(Relu{});
      return true;
    case Fused::Kind::leaky_relu:
      body(LeakyRelu{fused.parameter});
      return true;
    case Fused::Kind::sigmoid:
      body(Sigmoid{});
      return true;
    default:
      return false;
  }
}

/// The activation of one value.
template <class C>
NUCDET_HD C apply(const Fused& fused, C value) {
  switch (fused.kind) {
    case Fused::Kind::elu:
      return Elu{fused.parameter}(value);
    case Fused::Kind::relu:
      return Relu{}(value);
    case Fused::Kind::leaky_relu:
      return LeakyRelu{fused.parameter}(value);
    case Fused::Kind::sigmoid:
      return Sigmoid{}(value);
    default:
      return value;
  }
}

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
