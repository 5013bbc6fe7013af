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
  nucdet::ops::with_activation(fused, [&](const auto f) { activate_all(f, values, count); });
}

/// A row of pixels of H registers each: to = f(sums), or f(sums + residual).
struct Pixels {
  const float* sums;
  Index sum, count;  ///< floats from one pixel's sums to the next one's; pixels
  const float* residual;
  Index residual_pixel;
  float* to;
  Index pixel;
};
template <int H, class F>
[[gnu::always_inline]] inline void store_pixels(const F& f, const Pixels& p) {
  const float *from = p.sums, *more = p.residual;
  float* to = p.to;
  if (more == nullptr)
    for (Index j = 0; j < p.count; ++j, from += p.sum, to += p.pixel) {
      NUCDET_INDEPENDENT
      for (Index k = 0; k < H * kLanes; ++k) to[k] = f(from[k]);
    }
  else
    for (Index j = 0; j < p.count; ++j, from += p.sum, to += p.pixel, more += p.residual_pixel) {
      NUCDET_INDEPENDENT
      for (Index k = 0; k < H * kLanes; ++k) to[k] = f(from[k] + more[k]);
    }
}
/// The last pass over sums: calls body(f) with the activation that is left; the first one is applied in place if there
/// is another after it.
template <class Body>
static void finish(const Store& s, float* sums, Index count, const Body& body) {
  const bool two = s.residual != nullptr || s.last.kind != Fused::Kind::none;
  if (two) activate(s.first, sums, count);
  if (!nucdet::ops::with_activation(two ? s.last : s.first, body)) body(nucdet::ops::Same{});
}

template <int H, class F>
[[gnu::flatten]] static void store_row(const F f, const Pixels& row) {
  store_pixels<H>(f, row);
}

/// Finishes a row of sums[pixels][H registers] (bias is in them) from pixel `first` on, and stores it.
template <int H>
static void finish_row(const Store& s, float* sums, Index first, Index pixels) {
  constexpr Index kWide = H * kLanes;
  const Index width = s.channels;
  const float* const residual = s.residual != nullptr ? s.residual + first * s.residual_pixel : nullptr;
  float* to = s.y + first * s.pixel;
  if (width == kWide) {
    const Pixels row{sums, kWide, pixels, residual, s.residual_pixel, to, s.pixel};
    return finish(s, sums, pixels * kWide, [&](const auto f) { store_row<H>(f, row); });
  }
  for (Index j = 0; j < pixels; ++j)
    for (Index k = 0; k < width; ++k) sums[j * width + k] = sums[j * kWide + k];
  activate(s.first, sums, pixels * width);
  if (residual != nullptr)
    for (Index j = 0; j < pixels; ++j)
      for (Index k = 0; k < width; ++k) sums[j * width + k] += residual[j * s.residual_pixel + k];
  activate(s.last, sums, pixels * width);
  for (Index j = 0; j < pixels; ++j, to += s.pixel)
    for (Index k = 0; k < width; ++k) to[k] = sums[j * width + k];
}

}  // namespace NUCDET_ISA
