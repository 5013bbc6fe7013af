#pragma once
#include "nucdet/ops/activation_functors.hpp"

#include "cpu/isa/lanes.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::Act;
using nucdet::cpu::Store;

template <class F>
[[gnu::flatten]] static void activate_all(const F f, float* __restrict values, Index count) {
  for (Index i = 0; i < count; ++i) values[i] = f(values[i]);
}

/// The activation of `count` sums, in place.
static void activate(const Act& act, float* values, Index count) {
  switch (act.kind) {
    case 1:
      return activate_all(nucdet::ops::Elu{act.parameter}, values, count);
    case 2:
      return activate_all(nucdet::ops::Relu{}, values, count);
    case 3:
      return activate_all(nucdet::ops::LeakyRelu{act.parameter}, values, count);
    case 4:
      return activate_all(nucdet::ops::Sigmoid{}, values, count);
    default:
      return;
  }
}

/// Finishes sums[pixels][Width] (bias is in them) of one row from pixel `first` on, and stores them.
template <int Width>
[[gnu::always_inline]] inline void finish(const Store& s, float* sums, Index first, Index pixels) {
  activate(s.first, sums, pixels * Width);
  if (s.residual != nullptr) {
    const float* from = s.residual + first * s.residual_pixel;
    for (Index j = 0; j < pixels; ++j, from += s.residual_pixel)
      for (Index k = 0; k < s.channels; ++k) sums[j * Width + k] += from[k];
    activate(s.last, sums, pixels * Width);
  } else if (s.last.kind != 0) {
    activate(s.last, sums, pixels * Width);
  }
  float* to = s.y + first * s.pixel;
  if (s.channels == Width)
    for (Index j = 0; j < pixels; ++j, to += s.pixel)
      for (int k = 0; k < Width; k += kLanes) store(to + k, load(sums + j * Width + k));
  else
    for (Index j = 0; j < pixels; ++j, to += s.pixel)
      for (Index k = 0; k < s.channels; ++k) to[k] = sums[j * Width + k];
}

}  // namespace NUCDET_ISA
