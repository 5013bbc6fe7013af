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

  /// The same for channels first, first + 1, ...
  Epilogue channels(Index from, Index count) const {
    Epilogue part = *this;
    if (bias != nullptr) part.bias = bias + from;
    if (residual.data != nullptr) part.residual = residual.channels(from, count);
    return part;
  }
};

/// The activation of one value.
template <class C>
NUCDET_HD C apply(const Fused& fused, C value) {
  switch (fused.kind) {
#define NUCDET_CASE(F, name) \
  case Fused::Kind::name:    \
    return functor<F>(fused.parameter)(value);
    NUCDET_ACTIVATIONS(NUCDET_CASE)
#undef NUCDET_CASE
    case Fused::Kind::none:
      break;
  }
  return value;
}

/// Applies the activation to `count` contiguous values.
template <class T>
void apply(const Fused& fused, T* values, Index count) {
  with_activation(fused, [=](const auto& f) {
    for (Index i = 0; i < count; ++i) values[i] = f(values[i]);
  });
}

}  // namespace nucdet::ops
