#pragma once

#include "cpu/isa/lanes.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::Store;
using nucdet::ops::Fused;

template <class F>
[[gnu::flatten]] static void activate_all(const F f, float* __restrict values, Index count) {
  for (Index i = 0; i < count; ++i) values[i] = f(values[i]);
}

/// The activation of `count` sums, in place.
static void activate(const Fused& fused, float* values, Index count) {
  switch (fused.kind) {
#define NUCDET_CASE(F, name) \
  case Fused::Kind::name:    \
    return activate_all(nucdet::ops::functor<nucdet::ops::F>(fused.parameter), values, count);
    NUCDET_ACTIVATIONS(NUCDET_CASE)
#undef NUCDET_CASE
    case Fused::Kind::none:
      return;
  }
}

/// Finishes a row of sums[pixels][panel] (bias is in them) from pixel `first` on, and stores it.
static void finish_row(const Store& s, float* sums, Index first, Index pixels) {
  const Index width = s.channels;
  if (width != kPanel)
    for (Index j = 0; j < pixels; ++j)
      for (Index k = 0; k < width; ++k) sums[j * width + k] = sums[j * kPanel + k];
  activate(s.first, sums, pixels * width);
  if (s.residual != nullptr) {
    const float* from = s.residual + first * s.residual_pixel;
    for (Index j = 0; j < pixels; ++j, from += s.residual_pixel)
      for (Index k = 0; k < width; ++k) sums[j * width + k] += from[k];
  }
  activate(s.last, sums, pixels * width);
  float* to = s.y + first * s.pixel;
  if (width == kPanel)
    for (Index j = 0; j < pixels; ++j, to += s.pixel)
      store(to, load(sums + j * kPanel)), store(to + kLanes, load(sums + j * kPanel + kLanes));
  else
    for (Index j = 0; j < pixels; ++j, to += s.pixel)
      for (Index k = 0; k < width; ++k) to[k] = sums[j * width + k];
}

}  // namespace NUCDET_ISA
