#pragma once
#include "cpu/isa/finish.hpp"
#include "cpu/isa/product.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::DirectRow;

template <int R, int H>
[[gnu::noinline]] static void direct_pixels(const DirectRow& row, Index first, float* sums) {
  Block<R, H> block;
  block.set(row.store.bias);
  const float* b = row.weights;
  for (Index run = 0; run < row.runs; ++run)
    b = block.run(row.length, row.x + row.offsets[run] + first * row.x_pixel, row.x_pixel, b);
  block.write(sums, H * kLanes);
}

template <int H>
[[gnu::always_inline]] inline void direct_row(const DirectRow& row) {
  constexpr Index kPixels = 96;  // finished together: a loop over them is long enough, and they stay in the cache
  alignas(64) float sums[kPixels * H * kLanes];
  for (Index first = 0; first < row.pixels; first += kPixels) {
    const Index count = row.pixels - first < kPixels ? row.pixels - first : kPixels;
    for_blocks<H>(
        count, [&]<int R>(Index at)
                   __attribute__((always_inline)) { direct_pixels<R, H>(row, first + at, sums + at * H * kLanes); });
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
