#include <algorithm>

#include "nucdet/ops/correlate.hpp"

#include "cpu/convolution.hpp"

namespace nucdet::cpu {

namespace {

/// Filters as products read them: [panel][ky][kx][input][panel's outputs], zeros after the last output.
void pack(Context<Cpu>& context, const Isa& isa, const Filters& f, float* packed) {
  const Index taps = f.rows * f.columns;
  context.run(panels(isa, f.outputs) * taps, [&](Index chunk, int) {
    const Index panel = chunk / taps, ky = chunk % taps / f.columns, kx = chunk % f.columns;
    const Index first = panel * isa.panel, count = std::min<Index>(isa.panel, f.outputs - first);
    const float* from = f.data + first * f.by_output + ky * f.by_row + kx * f.by_column;
    float* to = packed + chunk * f.inputs * isa.panel;
    for (Index c = 0; c < f.inputs; ++c, from += f.by_input, to += isa.panel) {
      for (Index o = 0; o < count; ++o) to[o] = from[o * f.by_output];
      std::fill(to + count, to + isa.panel, 0.0f);
    }
  });
}

/// A tile of output pixels: with its input it should stay in the second-level cache while every panel reads it.
struct Tiles {
  Index down, across;
  Tiles(const Correlation& c) {
    constexpr Index kColumns = 96, kElements = 49152;
    const Shape& y = c.y.shape;
    across = std::max<Index>(1, pieces(y.w, kColumns));
    const Index row = (pieces(y.w, across) * c.stride + c.filters.columns) * c.x.shape.c * c.stride;
    const Index rows = std::clamp<Index>(kElements / std::max<Index>(1, row), 1, 16);
    down = std::max<Index>(1, pieces(y.h, rows));
  }
};

/// One phase, made ready.
struct Phase {
  const Correlation* c;
  const float* packed;
  std::vector<float> bias;
};

struct Region {
  Index y0, y1, x0, x1;
};

/// The input of a region: the map itself, or a copy with its zero border.
struct Source {
  const float* at;  ///< of the region's first output pixel, first tap
  Index row, pixel;
};
Source source_of(const Correlation& c, Index n, const Region& r, float* window) {
  const Index y = r.y0 * c.stride - c.off_y, x = r.x0 * c.stride - c.off_x;
  const Index h = (r.y1 - r.y0 - 1) * c.stride + c.filters.rows, w = (r.x1 - r.x0 - 1) * c.stride + c.filters.columns;
  if (y >= 0 && x >= 0 && y + h <= c.x.shape.h && x + w <= c.x.shape.w)
    return {c.x.pixel(n, y, x), c.x.row_stride, c.x.pixel_stride};
  ops::detail::copy_padded(c.x, n, y, x, h, w, window);
  return {window, w * c.x.shape.c, c.x.shape.c};
}

/// Outputs that meet no tap, as most of a sparse transposed convolution's: one pixel is computed and copied.
void fill_region(const Isa& isa, const Phase& phase, Index n, const Region& r) {
  const Correlation& c = *phase.c;
  std::vector<float> pixel(static_cast<std::size_t>(isa.panel));
  for (Index panel = 0; panel < panels(isa, c.filters.outputs); ++panel) {
    DirectRow row;
    row.pixels = 1;
    row.store = store_at(isa, c, phase.bias.data(), n, r.y0, r.x0, panel);
    float* const first = row.store.y;
    row.store.y = pixel.data();
    isa.direct(row);
    for (Index y = 0; y < r.y1 - r.y0; ++y)
      for (Index x = 0; x < r.x1 - r.x0; ++x)
        std::copy_n(pixel.data(), row.store.channels, first + y * row.store.row + x * row.store.pixel);
  }
}

void run_region(const Isa& isa, const Phase& phase, Index n, const Region& r, float* window) {
  const Correlation& c = *phase.c;
  const Filters& f = c.filters;
  const bool any = f.rows > 0;
  if (!any && c.epilogue.residual.data == nullptr) return fill_region(isa, phase, n, r);
  const Source source = any ? source_of(c, n, r, window) : Source{nullptr, 0, 0};
  // Neighbouring pixels of a dense row are one run.
  const bool merged = source.pixel == f.inputs;
  std::vector<Index> offsets(static_cast<std::size_t>(f.rows * f.columns));
  const Index per_row = merged ? 1 : f.columns;
  for (Index i = 0; i < f.rows * per_row; ++i)
    offsets[static_cast<std::size_t>(i)] = i / per_row * source.row + i % per_row * source.pixel;
  DirectRow row;
  row.x_pixel = c.stride * source.pixel, row.pixels = r.x1 - r.x0;
  row.offsets = offsets.data(), row.runs = f.rows * per_row, row.length = merged ? f.columns * f.inputs : f.inputs;
  for (Index panel = 0; panel < panels(isa, f.outputs); ++panel) {
    row.weights = phase.packed + panel * f.rows * f.columns * f.inputs * isa.panel;
    for (Index y = r.y0; y < r.y1; ++y) {
      row.x = any ? source.at + (y - r.y0) * c.stride * source.row : nullptr;
      row.store = store_at(isa, c, phase.bias.data(), n, y, r.x0, panel);
      isa.direct(row);
    }
  }
}

}  // namespace

void correlate_direct(Context<Cpu>& context, const Isa& isa, std::span<const Correlation> phases) {
  const Correlation& first = phases[0];  // the largest
  const Index images = first.y.shape.n;
  if (first.y.shape.count() == 0) return;
  Index weights = 0;
  Index window = 0;
  const Tiles tiles(first);
  for (const Correlation& c : phases) {
    const Filters& f = c.filters;
    weights += panels(isa, f.outputs) * isa.panel * f.rows * f.columns * f.inputs;
    const Index h = pieces(c.y.shape.h, tiles.down), w = pieces(c.y.shape.w, tiles.across);
    window = std::max(window, ((h + 1) * c.stride + f.rows) * ((w + 1) * c.stride + f.columns) * f.inputs);
  }
  Tensor<Cpu> memory = context.make({1, 1, 1, std::max<Index>(1, weights)});
  float* packed = memory.view<float>().data;
  std::vector<Phase> ready;
  for (const Correlation& c : phases) {
    const Filters& f = c.filters;
    pack(context, isa, f, packed);
    ready.push_back({&c, packed, padded_bias(isa, c.epilogue.bias, f.outputs)});
    packed += panels(isa, f.outputs) * isa.panel * f.rows * f.columns * f.inputs;
  }
  const auto windows = context.scratch<float>(window);
  context.run(images * tiles.down * tiles.across, [&](Index chunk, int worker) {
    const Index n = chunk / (tiles.down * tiles.across), tile = chunk % (tiles.down * tiles.across);
    for (const Phase& phase : ready) {
      const Shape& y = phase.c->y.shape;
      const Index i = tile / tiles.across, j = tile % tiles.across;
      const Region r{piece_begin(y.h, tiles.down, i), piece_begin(y.h, tiles.down, i + 1),
                     piece_begin(y.w, tiles.across, j), piece_begin(y.w, tiles.across, j + 1)};
      if (r.y1 > r.y0 && r.x1 > r.x0) run_region(isa, phase, n, r, windows[worker]);
    }
  });
}

/// Tiles of pixels are dealt to strips, by the shapes alone; each strip has sums of its own, added in order.
void weight_gradient_direct(Context<Cpu>& context, const Isa& isa, const ops::Conv2dProblem& p, View<const float> x,
                            View<const float> dy, float* dweight) {
  const Index k = p.kernel, ci = p.large.c, co = p.small.c, padded = panels(isa, co) * isa.panel;
  if (dy.shape.count() == 0 || x.shape.count() == 0) return;
  constexpr Index kColumns = 96, kElements = 65536, kPartial = 1 << 22;
  const Index across = pieces(dy.shape.w, kColumns), most_w = pieces(dy.shape.w, across);
  const Index width = (most_w - 1) * p.stride + k;
  const Index rows =
      std::clamp<Index>(kElements / std::max<Index>(1, width * ci * p.stride + most_w * padded), 1, dy.shape.h);
  const Index down = pieces(dy.shape.h, rows), per_image = down * across, tiles = dy.shape.n * per_image;
  const Index row_size = k * ci * padded;
  const Index strips = std::clamp<Index>(kPartial / (k * row_size), 1, std::min<Index>(tiles, 32));
  Tensor<Cpu> memory = context.zeros({strips, k, 1, row_size});
  float* const partial = memory.view<float>().data;
  const Index most_h = pieces(dy.shape.h, down);
  const auto window = context.scratch<float>(most_h * width * ci);
  const auto slopes = context.scratch<float>(most_h * most_w * padded);
  const bool whole = padded == co;
  context.run(strips * k, [&](Index chunk, int worker) {
    const Index strip = chunk / k, ky = chunk % k;
    for (Index t = piece_begin(tiles, strips, strip); t < piece_begin(tiles, strips, strip + 1); ++t) {
      const Index n = t / per_image, i = t % per_image / across, j = t % across;
      const Index y0 = piece_begin(dy.shape.h, down, i), y1 = piece_begin(dy.shape.h, down, i + 1);
      const Index x0 = piece_begin(dy.shape.w, across, j), x1 = piece_begin(dy.shape.w, across, j + 1);
      const Index w = (x1 - x0 - 1) * p.stride + k;
      for (Index y = y0; y < y1; ++y) {
        float* const from = window[worker];
        ops::detail::copy_padded(x, n, y * p.stride + ky - p.pad, x0 * p.stride - p.pad, 1, w, from);
        const float* d = dy.pixel(n, y, x0);
        Index ldd = dy.pixel_stride;
        if (!whole) {
          float* to = slopes[worker];
          for (Index q = 0; q < x1 - x0; ++q, to += padded) {
            std::copy_n(d + q * ldd, co, to);
            std::fill(to + co, to + padded, 0.0f);
          }
          d = slopes[worker], ldd = padded;
        }
        isa.product_transposed(k * ci, padded, x1 - x0, from, p.stride * ci, d, ldd, partial + chunk * row_size,
                               padded);
      }
    }
  });
  context.run(k * k * ci, [&](Index tap, int) {
    const Index ky = tap / (k * ci), rest = tap % (k * ci);
    for (Index o = 0; o < co; ++o) {
      float sum = 0;
      for (Index strip = 0; strip < strips; ++strip) sum += partial[((strip * k + ky) * k * ci + rest) * padded + o];
      dweight[(o * k + ky) * k * ci + rest] += sum;
    }
  });
}

}  // namespace nucdet::cpu
