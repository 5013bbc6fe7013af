#pragma once
#include "cpu/isa/finish.hpp"
#include "cpu/isa/product.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::DirectRow;

/// What R pixels from `first` on read, where no kernel's neighbours have read it before.
template <int R>
[[gnu::always_inline]] inline void ask_for_inputs(const DirectRow& row, Index first) {
  constexpr Index kLine = 16;  // floats
  for (Index r = first; r < first + R; ++r)
    for (Index k = 0; k < row.length; k += kLine)
      __builtin_prefetch(row.x + row.offsets[0] + r * row.x_pixel + k, 0, 2);
}

template <int R, int H>
[[gnu::noinline]] static void direct_pixels(const DirectRow& row, Index first, float* sums) {
  if (row.fresh && row.runs == 1) ask_for_inputs<R>(row, first + 2 * R);
  Block<R, H> block;
  block.set(row.store.bias);
  const float* b = row.weights;
  for (Index run = 0; run < row.runs; ++run)
    b = block.run(row.length, row.x + row.offsets[run] + first * row.x_pixel, row.x_pixel, b);
  block.write(sums, H * kLanes);
}

/// Where R pixels go and what is added to them, wanted when the row is done: a store waits for its line as a load does.
template <int R, int H>
[[gnu::always_inline]] inline void ask_for_pixels(const Store& s, Index first) {
  constexpr Index kLine = 16;       // floats
  if (s.channels < kLanes) return;  // neighbours share lines
  for (Index r = first; r < first + R; ++r)
    for (Index k = 0; k < H * kLanes; k += kLine) {
      __builtin_prefetch(s.y + r * s.pixel + k, 1, 2);
      if (s.residual != nullptr) __builtin_prefetch(s.residual + r * s.residual_pixel + k, 0, 2);
    }
}

template <int H>
[[gnu::always_inline]] inline void direct_row(const DirectRow& row) {
  constexpr Index kPixels = 96;  // finished together: a loop over them is long enough, and they stay in the cache
  alignas(64) float sums[kPixels * H * kLanes];
  for (Index first = 0; first < row.pixels; first += kPixels) {
    const Index count = row.pixels - first < kPixels ? row.pixels - first : kPixels;
    for_blocks<H>(
        count, [&]<int R>(Index at) __attribute__((always_inline)) {
          ask_for_pixels<R, H>(row.store, first + at);
          direct_pixels<R, H>(row, first + at, sums + at * H * kLanes);
        });
    finish_row<H>(row.store, sums, first, count);
  }
}
static void direct(const DirectRow& row) {
  if (registers(row.store.channels) == 2)
    direct_row<2>(row);
  else
    direct_row<1>(row);
}

}  // namespace NUCDET_ISA
