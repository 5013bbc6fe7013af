#pragma once
#include "cpu/isa/lanes.hpp"

namespace NUCDET_ISA {

/// Rows of the largest block of sums that are H registers wide: with a column of factors and one more they fill the
/// file.
#if defined(__AVX512F__) || defined(__aarch64__)  // 32 registers
template <int H>
inline constexpr int kRows = 12;
#else
template <int H>
inline constexpr int kRows = H == 2 ? 6 : 12;
#endif

/// Registers that hold the outputs wanted of a panel.
[[gnu::always_inline]] inline int registers(Index outputs) { return outputs > kLanes ? 2 : 1; }

/// Sums of R rows and a panel, or its first half, in registers.
template <int R, int H>
struct Block {
  Lanes sum[R][H];

  [[gnu::always_inline]] void set(const float* panel) {
#pragma GCC unroll 2
    for (int h = 0; h < H; ++h) {
      const Lanes all = panel != nullptr ? load(panel + h * kLanes) : Lanes{};
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r) sum[r][h] = all;
    }
  }
  [[gnu::always_inline]] void read(const float* c, Index ldc) {
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
      for (int h = 0; h < H; ++h) sum[r][h] = load(c + r * ldc + h * kLanes);
  }
  [[gnu::always_inline]] void write(float* c, Index ldc) const {
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
      for (int h = 0; h < H; ++h) store(c + r * ldc + h * kLanes, sum[r][h]);
  }
  /// sum[r] += a[r lda] b[panel]; `first` and every third row's pointer keep addresses within one instruction.
  [[gnu::always_inline]] void add(const float* const* a, Index lda, const float* b) {
    Lanes factors[H];
#pragma GCC unroll 2
    for (int h = 0; h < H; ++h) factors[h] = load(b + h * kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const float factor = a[r / 3][r % 3 * lda];
#pragma GCC unroll 2
      for (int h = 0; h < H; ++h) multiply_add(sum[r][h], factor, factors[h]);
    }
  }
  /// Adds `depth` products; a's rows are lda apart, b is packed. Returns b's end.
  [[gnu::always_inline]] const float* run(Index depth, const float* a, Index lda, const float* b) {
    const float* rows[(R + 2) / 3];
#pragma GCC unroll 4
    for (int i = 0; i < (R + 2) / 3; ++i) rows[i] = a + 3 * i * lda;
    const auto step = [&](Index k) __attribute__((always_inline)) {
      const float* at[(R + 2) / 3];
#pragma GCC unroll 4
      for (int i = 0; i < (R + 2) / 3; ++i) at[i] = rows[i] + k;
      add(at, lda, b + k * kPanel);
    };
    const auto move = [&](Index k) __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int i = 0; i < (R + 2) / 3; ++i) rows[i] += k;
      b += k * kPanel;
    };
    Index k = 0;
    for (; k + 4 <= depth; k += 4) step(0), step(1), step(2), step(3), move(4);
    for (; k < depth; ++k) step(0), move(1);
    return b;
  }
};

/// Calls body.template operator()<R>(first row) for groups of at most kRows<H> rows, as equal as can be.
template <int H, int R = kRows<H>, class Body>
[[gnu::always_inline]] inline void rows_of(Index count, Index row, const Body& body) {
  if constexpr (R > 1) {
    if (count < R) return rows_of<H, R - 1>(count, row, body);
  }
  body.template operator()<R>(row);
}
template <int H, class Body>
[[gnu::always_inline]] inline void for_blocks(Index rows, const Body& body) {
  const Index groups = (rows + kRows<H> - 1) / kRows<H>;
  for (Index group = 0; group < groups; ++group)
    rows_of<H>(rows * (group + 1) / groups - rows * group / groups, rows * group / groups, body);
}

template <int R, int H, bool Add>
[[gnu::noinline]] static void product_rows(Index depth, const float* a, Index lda, const float* b, float* c,
                                           Index ldc) {
  Block<R, H> block;
  if constexpr (Add)
    block.read(c, ldc);
  else
    block.set(nullptr);
  block.run(depth, a, lda, b);
  block.write(c, ldc);
}

template <int H>
[[gnu::always_inline]] inline void product_of(Index rows, Index depth, const float* a, Index lda, const float* b,
                                              float* c, Index ldc, bool add) {
  for_blocks<H>(
      rows, [&]<int R>(Index row) __attribute__((always_inline)) {
        if (add)
          product_rows<R, H, true>(depth, a + row * lda, lda, b, c + row * ldc, ldc);
        else
          product_rows<R, H, false>(depth, a + row * lda, lda, b, c + row * ldc, ldc);
      });
}
static void product(Index rows, Index depth, const float* a, Index lda, const float* b, float* c, Index ldc,
                    Index outputs, bool add) {
  if (registers(outputs) == 2)
    product_of<2>(rows, depth, a, lda, b, c, ldc, add);
  else
    product_of<1>(rows, depth, a, lda, b, c, ldc, add);
}

template <int R, int H>
[[gnu::noinline]] static void product_transposed_rows(Index depth, const float* a, Index lda, const float* b, Index ldb,
                                                      float* c, Index ldc) {
  Block<R, H> block;
  block.read(c, ldc);
  for (Index k = 0; k < depth; ++k, a += lda, b += ldb) {
    const float* rows[(R + 2) / 3];
#pragma GCC unroll 4
    for (int i = 0; i < (R + 2) / 3; ++i) rows[i] = a + 3 * i;
    block.add(rows, 1, b);
  }
  block.write(c, ldc);
}

template <int H>
[[gnu::always_inline]] inline void product_transposed_of(Index rows, Index depth, const float* a, Index lda,
                                                         const float* b, Index ldb, float* c, Index ldc) {
  for_blocks<H>(
      rows, [&]<int R>(Index row) __attribute__((always_inline)) {
        product_transposed_rows<R, H>(depth, a + row, lda, b, ldb, c + row * ldc, ldc);
      });
}
static void product_transposed(Index rows, Index cols, Index depth, const float* a, Index lda, const float* b,
                               Index ldb, float* c, Index ldc) {
  for (Index col = 0; col < cols; col += kPanel)
    if (registers(cols - col) == 2)
      product_transposed_of<2>(rows, depth, a, lda, b + col, ldb, c + col, ldc);
    else
      product_transposed_of<1>(rows, depth, a, lda, b + col, ldb, c + col, ldc);
}

}  // namespace NUCDET_ISA
