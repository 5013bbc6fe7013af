#pragma once
#include "cpu/isa/finish.hpp"
#include "cpu/isa/product.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::DirectRow;

template <int R>
[[gnu::noinline]] static void direct_pixels(const DirectRow& row, Index first, float* sums) {
  Block<R> block;
  block.set(row.store.bias);
  const float* b = row.weights;
  for (Index run = 0; run < row.runs; ++run)
    b = block.run(row.length, row.x + row.offsets[run] + first * row.x_pixel, row.x_pixel, b);
  block.write(sums, kPanel);
}

static void direct(const DirectRow& row) {
  constexpr Index kPixels = 96;  // finished together: a loop over them is long enough, and they stay in the cache
  alignas(64) float sums[kPixels * kPanel];
  for (Index first = 0; first < row.pixels; first += kPixels) {
    const Index count = row.pixels - first < kPixels ? row.pixels - first : kPixels;
    for_blocks(
        count, [&]<int R>(Index at)
                   __attribute__((always_inline)) { direct_pixels<R>(row, first + at, sums + at * kPanel); });
    finish_row(row.store, sums, first, count);
  }
}

}  // namespace NUCDET_ISA
