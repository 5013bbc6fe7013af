#pragma once
#include "cpu/isa/lanes.hpp"

namespace NUCDET_ISA {

/// Rows of the largest block: with its two columns of registers, a column of factors and one more it fills the file.
#ifdef __AVX512F__
inline constexpr int kRows = 12;
#else
inline constexpr int kRows = 6;
#endif

/// Sums of R rows and one panel, in registers.
template <int R>
struct Block {
  Lanes sum[R][2];

  [[gnu::always_inline]] void set(const float* panel) {
    const Lanes low = panel != nullptr ? load(panel) : Lanes{},
                high = panel != nullptr ? load(panel + kLanes) : Lanes{};
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) sum[r][0] = low, sum[r][1] = high;
  }
  [[gnu::always_inline]] void read(const float* c, Index ldc) {
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) sum[r][0] = load(c + r * ldc), sum[r][1] = load(c + r * ldc + kLanes);
  }
  [[gnu::always_inline]] void write(float* c, Index ldc) const {
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) store(c + r * ldc, sum[r][0]), store(c + r * ldc + kLanes, sum[r][1]);
  }
  /// sum[r] += a[r lda] b[panel]; `first` and every third row's pointer keep addresses within one instruction.
  [[gnu::always_inline]] void add(const float* const* a, Index lda, const float* b) {
    const Lanes low = load(b), high = load(b + kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const float factor = a[r / 3][r % 3 * lda];
      multiply_add(sum[r][0], factor, low);
      multiply_add(sum[r][1], factor, high);
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

/// Calls body.template operator()<R>(first row) for groups of at most kRows rows, as equal as can be.
template <int R = kRows, class Body>
[[gnu::always_inline]] inline void rows_of(Index count, Index row, const Body& body) {
  if constexpr (R > 1) {
    if (count < R) return rows_of<R - 1>(count, row, body);
  }
  body.template operator()<R>(row);
}
template <class Body>
[[gnu::always_inline]] inline void for_blocks(Index rows, const Body& body) {
  const Index groups = (rows + kRows - 1) / kRows;
  for (Index group = 0; group < groups; ++group)
    rows_of(rows * (group + 1) / groups - rows * group / groups, rows * group / groups, body);
}

template <int R, bool Add>
[[gnu::noinline]] static void product_rows(Index depth, const float* a, Index lda, const float* b, float* c,
                                           Index ldc) {
  Block<R> block;
  if constexpr (Add)
    block.read(c, ldc);
  else
    block.set(nullptr);
  block.run(depth, a, lda, b);
  block.write(c, ldc);
}

static void product(Index rows, Index depth, const float* a, Index lda, const float* b, float* c, Index ldc, bool add) {
  for_blocks(
      rows, [&]<int R>(Index row) __attribute__((always_inline)) {
        if (add)
          product_rows<R, true>(depth, a + row * lda, lda, b, c + row * ldc, ldc);
        else
          product_rows<R, false>(depth, a + row * lda, lda, b, c + row * ldc, ldc);
      });
}

template <int R>
[[gnu::noinline]] static void product_transposed_rows(Index depth, const float* a, Index lda, const float* b, Index ldb,
                                                      float* c, Index ldc) {
  Block<R> block;
  block.read(c, ldc);
  for (Index k = 0; k < depth; ++k, a += lda, b += ldb) {
    const float* rows[(R + 2) / 3];
#pragma GCC unroll 4
    for (int i = 0; i < (R + 2) / 3; ++i) rows[i] = a + 3 * i;
    block.add(rows, 1, b);
  }
  block.write(c, ldc);
}

static void product_transposed(Index rows, Index cols, Index depth, const float* a, Index lda, const float* b,
                               Index ldb, float* c, Index ldc) {
  for (Index col = 0; col < cols; col += kPanel)
    for_blocks(
        rows, [&]<int R>(Index row) __attribute__((always_inline)) {
          product_transposed_rows<R>(depth, a + row, lda, b + col, ldb, c + row * ldc + col, ldc);
        });
}

}  // namespace NUCDET_ISA
