#pragma once
#include "cpu/isa/finish.hpp"
#include "cpu/isa/points.hpp"

/// The transforms of F(M x M, R x R): columns first, then rows, a register of channels at a time.
namespace NUCDET_ISA {

using nucdet::cpu::kFilterInputs;
using nucdet::cpu::kStrip;
using nucdet::cpu::Map;
using nucdet::cpu::Winograd;

template <int M, int R>
struct Transforms {
  static constexpr int N = M + R - 1;

  /// Neighbouring tiles overlap: the columns of a whole strip are transformed once.
  static void input(const Map& x, Index y0, Index x0, Index tiles, float* v, Index tile, Index plane) {
    const Index columns = tiles * M + R - 1;
    const bool rows_inside = y0 >= 0 && y0 + N <= x.height;
    for (Index c = 0; c < x.channels; c += kLanes) {
      Lanes column[(kStrip * M + R - 1) * N];
      const float* from = x.data + y0 * x.row + x0 * x.pixel + c;
      // No processor foresees a walk down the rows of a map: what comes next is asked for, the channels behind these or
      // the first ones of the next strip.
      const Index next = c + kLanes < x.channels ? kLanes : tiles * M * x.pixel - c;
      for (Index j = 0; j < columns; ++j, from += x.pixel) {
        Lanes d[N];
        // By the column alone, not by the strip that it is in: one tile has the same bits in every strip.
        const bool within = x0 + j >= 0 && x0 + j < x.width;
        if (rows_inside && within) {
          const float* at = from;
#pragma GCC unroll 8
          for (int i = 0; i < N; ++i, at += x.row) {
            d[i] = load(at);
            __builtin_prefetch(at + next, 0, 2);
          }
        } else {
          for (int i = 0; i < N; ++i)
            d[i] = within && y0 + i >= 0 && y0 + i < x.height ? load(from + i * x.row) : Lanes{};
        }
        interpolate<N>(d);
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i) column[j * N + i] = d[i];
      }
      for (Index t = 0; t < tiles; ++t)
        for (int i = 0; i < N; ++i) {
          Lanes d[N];
#pragma GCC unroll 8
          for (int j = 0; j < N; ++j) d[j] = column[(t * M + j) * N + i];
          interpolate<N>(d);
          float* to = v + i * N * plane + t * tile + c;
#pragma GCC unroll 8
          for (int j = 0; j < N; ++j, to += plane) store(to, d[j]);
        }
    }
  }

  static void filters(const Winograd::Filters& g, float* u, Index plane) {
    // Gathered first: a register that is read right after its lanes were written one by one waits for them.
    alignas(64) float taps[kFilterInputs * R * R * kPanel];
    if (g.rows * g.columns < R * R || g.outputs < kPanel)
      for (float& tap : taps) tap = 0;
    const Index outputs = g.outputs < kPanel ? g.outputs : kPanel;
    for (Index o = 0; o < outputs; ++o)
      for (Index ky = 0; ky < g.rows; ++ky)
        for (Index kx = 0; kx < g.columns; ++kx) {
          const float* const from = g.w + o * g.by_output + ky * g.by_row + kx * g.by_column;
          float* const to = taps + ((kx + g.place_x) * R + ky + g.place_y) * kPanel + o;
          __builtin_prefetch(from + 3 * g.by_output, 0, 2);  // as far ahead as memory is
          for (Index c = 0; c < g.inputs; ++c) to[c * R * R * kPanel] = from[c * g.by_input];
        }
    for (Index c = 0; c < g.inputs; ++c)
      for (int half = 0; half < kPanel; half += kLanes) {
        Lanes tap[R * R], columns[R * N];
#pragma GCC unroll 25
        for (int k = 0; k < R * R; ++k) tap[k] = load(taps + (c * R * R + k) * kPanel + half);
        for (int kx = 0; kx < R; ++kx) evaluate<N, R, true>(tap + kx * R, columns + kx * N);
        for (int i = 0; i < N; ++i) {
          Lanes row[R], out[N];
          for (int kx = 0; kx < R; ++kx) row[kx] = columns[kx * N + i];
          evaluate<N, R, true>(row, out);
          for (int j = 0; j < N; ++j) store(u + (i * N + j) * plane + c * kPanel + half, out[j]);
        }
      }
  }

  static void output(const float* p, Index plane, Index tiles, Index height, Index width, const Store& s) {
    for (int half = 0; half < kPanel && half < s.channels; half += kLanes) {
      const Lanes bias = s.bias != nullptr ? load(s.bias + half) : Lanes{};
      alignas(64) float sums[kStrip * kTile];
      for (Index t = 0; t < tiles; ++t) {
        ask_for_tile(s, half, t, height, width);
        Lanes column[N * M];
        for (int j = 0; j < N; ++j) {
          Lanes in[N];
          const float* from = p + j * plane + t * kPanel + half;
#pragma GCC unroll 8
          for (int i = 0; i < N; ++i, from += N * plane) in[i] = load(from);
          collect<N, M, false>(in, column + j * M);
        }
        for (int i = 0; i < M; ++i) {
          Lanes in[N], out[M];
#pragma GCC unroll 8
          for (int j = 0; j < N; ++j) in[j] = column[j * M + i];
          collect<N, M, false>(in, out);
#pragma GCC unroll 8
          for (int j = 0; j < M; ++j) store(sums + t * kTile + (i * M + j) * kLanes, out[j] + bias);
        }
      }
      finish_strip(s, sums, half, tiles, height, width);
    }
  }

  static void slopes(const Map& s, Index y0, Index x0, Index tiles, float* d, Index tile, Index plane) {
    for (Index t = 0; t < tiles; ++t)
      for (Index c = 0; c < s.channels; c += kLanes) {
        Lanes column[M * N];
        for (int j = 0; j < M; ++j) {
          Lanes in[M];
          const Index x = x0 + t * M + j;
          for (int i = 0; i < M; ++i)
            in[i] = x < s.width && y0 + i < s.height ? load(s.data + (y0 + i) * s.row + x * s.pixel + c) : Lanes{};
          evaluate<N, M, false>(in, column + j * N);
        }
        for (int i = 0; i < N; ++i) {
          Lanes in[M], out[N];
          for (int j = 0; j < M; ++j) in[j] = column[j * N + i];
          evaluate<N, M, false>(in, out);
          float* to = d + i * N * plane + t * tile + c;
          for (int j = 0; j < N; ++j) store(to + j * plane, out[j]);
        }
      }
  }

  static void filter_gradients(const float* q, Index plane, const Winograd::FilterGradients& g, Index first,
                               Index last) {
    for (Index c = first; c < last; ++c)
      for (Index o = 0; o < g.outputs; o += kLanes) {
        Lanes columns[N * R], tap[R];
        for (int j = 0; j < N; ++j) {
          Lanes in[N];
          for (int i = 0; i < N; ++i) in[i] = load(q + (i * N + j) * plane + c * g.row + o);
          collect<N, R, true>(in, columns + j * R);
        }
        for (int ky = 0; ky < R; ++ky) {
          Lanes in[N];
          for (int j = 0; j < N; ++j) in[j] = columns[j * R + ky];
          collect<N, R, true>(in, tap);
          float* to = g.g + o * g.by_output + c * g.by_input + ky * g.by_row;
          for (int kx = 0; kx < R; ++kx)
            for (int k = 0; k < kLanes; ++k) to[k * g.by_output + kx * g.by_column] += tap[kx][k];
        }
      }
  }

  static constexpr Winograd table() { return {M, R, N, &input, &filters, &output, &slopes, &filter_gradients}; }

 private:
  static constexpr Index kTile = M * M * kLanes;

  /// Where a tile goes and what is added to it, wanted as soon as the strip is transformed: the rows of a map are far
  /// apart, and a store waits for its line as a load does.
  [[gnu::always_inline]] static void ask_for_tile(const Store& s, int half, Index t, Index height, Index width) {
    const Index left = t * M, right = left + M < width ? left + M : width;
    for (Index i = 0; i < height; ++i)
      for (Index j = left; j < right; ++j) {
        __builtin_prefetch(s.y + i * s.row + j * s.pixel + half, 1, 2);
        if (s.residual != nullptr)
          __builtin_prefetch(s.residual + i * s.residual_row + j * s.residual_pixel + half, 0, 2);
      }
  }

  /// Finishes the tiles sums[tile][M][M][kLanes] of the channels from `half` on, of which `height` rows and, over the
  /// strip, `width` columns are wanted.
  static void finish_strip(const Store& s, float* sums, int half, Index tiles, Index height, Index width) {
    finish(s, sums, tiles * kTile, [&](const auto f) { store_strip(f, s, sums, half, tiles, height, width); });
  }
  template <class F>
  [[gnu::flatten]] static void store_strip(const F f, const Store& s, const float* sums, int half, Index tiles,
                                           Index height, Index width) {
    for (Index t = 0; t < tiles; ++t)
      for (Index i = 0; i < height; ++i) {
        const float* const residual =
            s.residual != nullptr ? s.residual + i * s.residual_row + t * M * s.residual_pixel + half : nullptr;
        store_pixels<1>(f, {sums + t * kTile + i * M * kLanes, kLanes, width - t * M < M ? width - t * M : M, residual,
                            s.residual_pixel, s.y + i * s.row + t * M * s.pixel + half, s.pixel});
      }
  }
};

}  // namespace NUCDET_ISA
