#pragma once
#include "cpu/isa/finish.hpp"
#include "cpu/isa/product.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::DepthwiseSlopes;
using nucdet::cpu::DirectRow;

/// R neighbouring pixels, so that a tap's weights are loaded once for all of them.
template <int R>
[[gnu::noinline]] static void depthwise_pixels(const DirectRow& row, Index first, float* sums) {
  Block<R, 2> block;
  block.set(row.store.bias);
  const float* w = row.weights;
  for (Index tap = 0; tap < row.runs; ++tap, w += kPanel) {
    const Lanes low = load(w), high = load(w + kLanes);
    const float* x = row.x + row.offsets[tap] + first * row.x_pixel;
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r, x += row.x_pixel)
      block.sum[r][0] += load(x) * low, block.sum[r][1] += load(x + kLanes) * high;
  }
  block.write(sums, kPanel);
}

static void depthwise(const DirectRow& row) {
  constexpr Index kPixels = 96;  // finished together, as by direct
  alignas(64) float sums[kPixels * kPanel];
  for (Index first = 0; first < row.pixels; first += kPixels) {
    const Index count = row.pixels - first < kPixels ? row.pixels - first : kPixels;
    for_blocks<2>(
        count, [&]<int R>(Index at)
                   __attribute__((always_inline)) { depthwise_pixels<R>(row, first + at, sums + at * kPanel); });
    finish_row<2>(row.store, sums, first, count);
  }
}

/// R taps, whose sums stay in registers along the row.
template <int R>
[[gnu::noinline]] static void depthwise_taps(const DepthwiseSlopes& row, Index tap) {
  Block<R, 2> block;
  float* const sums = row.sums + tap * kPanel;
  block.read(sums, kPanel);
  const float* d = row.d;
  for (Index j = 0; j < row.pixels; ++j, d += row.d_pixel) {
    const Lanes low = load(d), high = load(d + kLanes);
    const float* const x = row.x + j * row.x_pixel;
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const float* const at = x + row.offsets[tap + r];
      block.sum[r][0] += load(at) * low, block.sum[r][1] += load(at + kLanes) * high;
    }
  }
  block.write(sums, kPanel);
}

static void depthwise_gradient(const DepthwiseSlopes& row) {
  for_blocks<2>(
      row.taps, [&]<int R>(Index tap) __attribute__((always_inline)) { depthwise_taps<R>(row, tap); });
}

}  // namespace NUCDET_ISA
