#pragma once
#include <algorithm>
#include <span>

#include "nucdet/core/context.hpp"
#include "nucdet/cpu/gemm.hpp"
#include "nucdet/ops/epilogue.hpp"

/// The headers' convolution engine, and the oracle for the fast kernels (src/cpu). Every pass of every convolution is a
/// sum of correlations of stride 1 (ops/conv2d.hpp), and a correlation of stride 1 in NHWC is one matrix product per
/// kernel row: in a tile of pixels copied with its zero border, the kw pixels under the kernel row are kw * channels
/// contiguous numbers, so that the tile itself, read with overlapping rows, is the matrix. Nothing like an im2col
/// matrix is ever made.
namespace nucdet::ops::detail {

/// One summand: y(i, j) += sum over ky, kx of x(i + ky - off_y, j + kx - off_x) * weights[ky][kx], zeros outside x.
/// weights: [kh][kw * x channels][y channels].
template <class T>
struct Correlation {
  View<const T> x;
  Index kh, kw, off_y, off_x;
  const T* weights;
};

/// Products are taken over a multiple of this many pixels, the last ones unused: Eigen sums the pixels left over in
/// another order, and a pixel's value must not depend on its place in a tile.
inline constexpr Index kPixelQuantum = 8;

/// The cut of an output map into tiles of at most rows x cols pixels: from the shapes alone, never the thread count.
struct TileCut {
  Index rows, cols, down, across;

  TileCut(Index h, Index w, Index kernel, Index channels) {
    constexpr Index kPixels = 256, kElements = 131072;  // enough rows for the product; the copied tile stays in L2
    across = std::max<Index>(1, (w + 127) / 128), cols = (w + across - 1) / across;
    rows = std::clamp<Index>(kPixels / (cols + kernel - 1), 1, std::max<Index>(1, h));
    while (rows > 1 && (rows + kernel - 1) * (cols + kernel - 1) * channels > kElements) --rows;
    down = (h + rows - 1) / rows, across = (w + cols - 1) / cols;
  }
  Index tiles() const { return down * across; }
};

/// Copies x(y0 ... y0 + h, x0 ... x0 + w) of image n, with zeros outside x, to a dense [h x w x channels] buffer.
template <class T>
void copy_padded(View<const T> x, Index n, Index y0, Index x0, Index h, Index w, T* out) {
  const Index c = x.shape.c;
  const Index from = std::clamp<Index>(-x0, 0, w), to = std::clamp<Index>(x.shape.w - x0, from, w);
  for (Index row = 0; row < h; ++row, out += w * c) {
    if (y0 + row < 0 || y0 + row >= x.shape.h || from == to) {
      std::fill_n(out, w * c, T(0));
      continue;
    }
    std::fill_n(out, from * c, T(0));
    const T* source = x.pixel(n, y0 + row, x0 + from);
    if (x.pixel_stride == c)
      std::copy_n(source, (to - from) * c, out + from * c);
    else
      for (Index i = from; i < to; ++i, source += x.pixel_stride) std::copy_n(source, c, out + i * c);
    std::fill_n(out + to * c, (w - to) * c, T(0));
  }
}

/// Finishes one row of sums (dense, w pixels) and stores it at (n, row, x0) of y.
template <class T>
void store_row(const Epilogue<T>& epilogue, T* sums, Index n, Index row, Index x0, Index w, View<T> y) {
  const Index c = y.shape.c;
  apply(epilogue.first, sums, w * c);
  if (epilogue.residual.data != nullptr)
    for (Index i = 0; i < w; ++i) {
      const T* r = epilogue.residual.pixel(n, row, x0 + i);
      for (Index k = 0; k < c; ++k) sums[i * c + k] += r[k];
    }
  apply(epilogue.last, sums, w * c);
  T* out = y.pixel(n, row, x0);
  if (y.pixel_stride == c)
    std::copy_n(sums, w * c, out);
  else
    for (Index i = 0; i < w; ++i, out += y.pixel_stride) std::copy_n(sums + i * c, c, out);
}

/// y = epilogue(sum of the correlations).
template <class T>
void correlate(Context<Cpu>& context, std::span<const Correlation<T>> terms, const Epilogue<T>& epilogue, View<T> y) {
  Index kernel = 1, channels = y.shape.c;
  for (const auto& term : terms) {
    kernel = std::max({kernel, term.kh, term.kw});
    channels = std::max(channels, term.x.shape.c);
  }
  if (y.shape.count() == 0) return;
  const TileCut cut(y.shape.h, y.shape.w, kernel, channels);
  const Index pitch = cut.cols + kernel - 1, c = y.shape.c;
  const Index spare = kPixelQuantum + kernel;
  const auto window = context.scratch<T>(((cut.rows + kernel - 1) * pitch + spare) * channels);
  const auto sums = context.scratch<T>((cut.rows * pitch + kPixelQuantum) * c);
  context.run(y.shape.n * cut.tiles(), [&](Index chunk, int worker) {
    const Index n = chunk / cut.tiles(), tile = chunk % cut.tiles();
    const Index y0 = tile / cut.across * cut.rows, x0 = tile % cut.across * cut.cols;
    const Index h = std::min(cut.rows, y.shape.h - y0), w = std::min(cut.cols, y.shape.w - x0);
    T* const in = window[worker];
    T* const out = sums[worker];
    // The last row's border columns are not computed, but for a few that fill up the quantum.
    const Index pixels = ((h - 1) * pitch + w + kPixelQuantum - 1) / kPixelQuantum * kPixelQuantum;
    for (Index i = 0; i < std::max(pixels, h * pitch); ++i)
      if (epilogue.bias != nullptr)
        std::copy_n(epilogue.bias, c, out + i * c);
      else
        std::fill_n(out + i * c, c, T(0));
    for (const auto& term : terms) {
      const Index ci = term.x.shape.c, copied = (h + term.kh - 1) * pitch;
      copy_padded(term.x, n, y0 - term.off_y, x0 - term.off_x, h + term.kh - 1, pitch, in);
      std::fill_n(in + copied * ci, spare * ci, T(0));
      for (Index ky = 0; ky < term.kh; ++ky)
        cpu::gemm(pixels, c, term.kw * ci, in + ky * pitch * ci, ci, term.weights + ky * term.kw * ci * c, c, out, c);
    }
    for (Index row = 0; row < h; ++row) store_row(epilogue, out + row * pitch * c, n, y0 + row, x0, w, y);
  });
}

/// Adds to weights[ky][kx * channels + c][o] the sum over pixels of x(i + ky - off_y, j + kx - off_x, c) * dy(i, j, o).
/// The tiles are dealt to a number of strips that depends on the shapes alone; each strip has its own sums, added in
/// order.
template <class T>
void correlate_weights(Context<Cpu>& context, const Correlation<T>& term, View<const T> dy, T* weights) {
  const Index kernel = std::max(term.kh, term.kw), ci = term.x.shape.c, c = dy.shape.c, row_size = term.kw * ci * c;
  const TileCut cut(dy.shape.h, dy.shape.w, kernel, std::max(ci, c));
  const Index pitch = cut.cols + kernel - 1, tiles = dy.shape.n * cut.tiles();
  constexpr Index kPartialElements = 1 << 22;  // at most 16 MiB of partial sums
  const Index strips = std::clamp<Index>(kPartialElements / (term.kh * row_size), 1, std::min<Index>(tiles, 16));
  Tensor<Cpu> partial_memory = context.zeros({strips, term.kh, 1, row_size}, dtype_of<T>);
  T* const partial = partial_memory.template view<T>().data;
  const auto window = context.scratch<T>(cut.rows * pitch * ci);
  const auto slopes = context.scratch<T>(cut.rows * pitch * c);
  context.run(strips * term.kh, [&](Index chunk, int worker) {
    const Index strip = chunk / term.kh, ky = chunk % term.kh;
    for (Index i = strip * tiles / strips; i < (strip + 1) * tiles / strips; ++i) {
      const Index n = i / cut.tiles(), tile = i % cut.tiles();
      const Index y0 = tile / cut.across * cut.rows, x0 = tile % cut.across * cut.cols;
      const Index h = std::min(cut.rows, dy.shape.h - y0), w = std::min(cut.cols, dy.shape.w - x0);
      copy_padded(term.x, n, y0 - term.off_y + ky, x0 - term.off_x, h, pitch, window[worker]);
      copy_padded(dy.window(0, 0, y0 + h, x0 + w), n, y0, x0, h, pitch, slopes[worker]);
      cpu::gemm<true>(term.kw * ci, c, (h - 1) * pitch + w, window[worker], ci, slopes[worker], c,
                      partial + chunk * row_size, c);
    }
  });
  for (Index strip = 0; strip < strips; ++strip)
    for (Index i = 0; i < term.kh * row_size; ++i) weights[i] += partial[strip * term.kh * row_size + i];
}

}  // namespace nucdet::ops::detail
