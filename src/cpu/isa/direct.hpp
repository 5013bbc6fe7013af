#pragma once
#include "cpu/isa/finish.hpp"
#include "cpu/isa/product.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::DirectRow;

template <int R>
[[gnu::noinline]] static void direct_pixels(const DirectRow& row, Index first) {
  Block<R> block;
  block.set(row.store.bias);
  const float* b = row.weights;
  for (Index run = 0; run < row.runs; ++run)
    b = block.run(row.length, row.x + row.offsets[run] + first * row.x_pixel, row.x_pixel, b);
  alignas(64) float sums[R * kPanel];
  block.write(sums, kPanel);
  finish<kPanel>(row.store, sums, first, R);
}

static void direct(const DirectRow& row) {
  for_blocks(
      row.pixels, [&]<int R>(Index first) __attribute__((always_inline)) { direct_pixels<R>(row, first); });
}

}  // namespace NUCDET_ISA
