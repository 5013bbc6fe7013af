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
    const Index row = (pieces(y.w, across) * c.stride.x + c.width()) * c.x.shape.c * c.stride.y;
    const Index rows = std::clamp<Index>(kElements / std::max<Index>(1, row), 1, 16);
    down = std::max<Index>(1, pieces(y.h, rows));
  }
};

/// One phase, made ready.
struct Phase {
  const Correlation* c;
  const float* packed;
  const float* bias;  ///< whole panels
};

struct Region {
  Index y0, y1, x0, x1;
};

/// The input of a region: the map itself, or a copy with its zero border.
struct Source {
  const float* at;  ///< of the region's first output pixel, first tap
  Index row, pixel;
};
Source source_of(const Isa& isa, const Correlation& c, Index n, const Region& r, float* window) {
  const Index y = r.y0 * c.stride.y - c.off_y, x = r.x0 * c.stride.x - c.off_x;
  const Index h = (r.y1 - r.y0 - 1) * c.stride.y + c.height(), w = (r.x1 - r.x0 - 1) * c.stride.x + c.width();
  // A depthwise row reads whole panels of the input too: the last one may reach beyond the last pixel.
  const bool whole = !c.depthwise || c.x.shape.c % isa.panel == 0;
  if (whole && y >= 0 && x >= 0 && y + h <= c.x.shape.h && x + w <= c.x.shape.w)
    return {c.x.pixel(n, y, x), c.x.row_stride, c.x.pixel_stride};
  ops::detail::copy_padded(c.x, n, y, x, h, w, window);
  if (!whole) std::fill_n(window + h * w * c.x.shape.c, isa.panel, 0.0f);
  return {window, w * c.x.shape.c, c.x.shape.c};
}

/// Outputs that meet no tap, as most of a sparse transposed convolution's: one pixel is computed and copied.
void fill_region(const Isa& isa, const Phase& phase, Index n, const Region& r) {
  const Correlation& c = *phase.c;
  float pixel[kMostPanel];
  for (Index panel = 0; panel < panels(isa, c.filters.outputs); ++panel) {
    DirectRow row;
    row.pixels = 1;
    row.store = store_at(isa, c, phase.bias, n, r.y0, r.x0, panel);
    float* const first = row.store.y;
    row.store.y = pixel;
    isa.direct(row);
    for (Index y = 0; y < r.y1 - r.y0; ++y)
      for (Index x = 0; x < r.x1 - r.x0; ++x)
        std::copy_n(pixel, row.store.channels, first + y * row.store.row + x * row.store.pixel);
  }
}

/// offsets: room for one number a tap.
void run_region(const Isa& isa, const Phase& phase, Index n, const Region& r, float* window, Index* offsets) {
  const Correlation& c = *phase.c;
  const Filters& f = c.filters;
  const bool any = f.rows > 0;
  if (!any && c.epilogue.residual.data == nullptr) return fill_region(isa, phase, n, r);
  const Source source = any ? source_of(isa, c, n, r, window) : Source{nullptr, 0, 0};
  // Neighbouring pixels of a dense row are one run.
  const bool merged = source.pixel == f.inputs && c.spacing.x == 1 && !c.depthwise;
  const Index per_row = merged ? 1 : f.columns;
  for (Index i = 0; i < f.rows * per_row; ++i)
    offsets[i] = i / per_row * c.spacing.y * source.row + i % per_row * c.spacing.x * source.pixel;
  DirectRow row;
  row.x_pixel = c.stride.x * source.pixel, row.pixels = r.x1 - r.x0;
  row.offsets = offsets, row.runs = f.rows * per_row, row.length = merged ? f.columns * f.inputs : f.inputs;
  const auto kernel = c.depthwise ? isa.depthwise : isa.direct;
  for (Index panel = 0; panel < panels(isa, f.outputs); ++panel) {
    row.fresh = panel == 0;
    row.weights = phase.packed + panel * f.rows * f.columns * f.inputs * isa.panel;
    for (Index y = r.y0; y < r.y1; ++y) {
      row.x = any ? source.at + (y - r.y0) * c.stride.y * source.row + (c.depthwise ? panel * isa.panel : 0) : nullptr;
      row.store = store_at(isa, c, phase.bias, n, y, r.x0, panel);
      kernel(row);
    }
  }
}

}  // namespace

void correlate_direct(Context<Cpu>& context, const Isa& isa, std::span<const Correlation> phases) {
  const Correlation& first = phases[0];  // the largest
  if (first.y.shape.count() == 0) return;
  const Tiles tiles(first);
  const auto packed_size = [&](const Filters& f) {
    return panels(isa, f.outputs) * isa.panel * f.rows * f.columns * f.inputs;
  };
  Index weights = 1, window = 0, taps = 1;
  for (const Correlation& c : phases) {
    const Filters& f = c.filters;
    weights += packed_size(f), taps = std::max(taps, f.rows * f.columns);
    const Index h = pieces(c.y.shape.h, tiles.down), w = pieces(c.y.shape.w, tiles.across);
    const Index rows = (h + 1) * c.stride.y + c.height(), columns = (w + 1) * c.stride.x + c.width();
    window = std::max(window, rows * columns * c.x.shape.c + isa.panel);
  }
  Tensor<Cpu> memory = context.make({1, 1, 1, weights});
  float* packed = memory.view<float>().data;
  // All phases have the same bias and outputs.
  const DeviceArray<float, Cpu> bias = padded_bias(context, isa, first.epilogue.bias, first.filters.outputs);
  const DeviceArray<Phase, Cpu> ready(context, phases.size());
  for (std::size_t k = 0; k < phases.size(); ++k) {
    pack(context, isa, phases[k].filters, packed);
    ready.data()[k] = {&phases[k], packed, bias.data()};
    packed += packed_size(phases[k].filters);
  }
  const auto windows = context.scratch<float>(window);
  const auto offsets = context.scratch<Index>(taps);
  const Index per_image = tiles.down * tiles.across;
  context.run(first.y.shape.n * per_image, [&](Index chunk, int worker) {
    const Index i = chunk % per_image / tiles.across, j = chunk % tiles.across;
    for (const Phase& phase : std::span(ready.data(), ready.size())) {
      const Shape& y = phase.c->y.shape;
      const Region r{piece_begin(y.h, tiles.down, i), piece_begin(y.h, tiles.down, i + 1),
                     piece_begin(y.w, tiles.across, j), piece_begin(y.w, tiles.across, j + 1)};
      if (r.y1 > r.y0 && r.x1 > r.x0) run_region(isa, phase, chunk / per_image, r, windows[worker], offsets[worker]);
    }
  });
}

namespace {

/// The weight gradient as products over rows of at most kColumns pixels: sums[strip][ky][kx][input][outputs].
struct RowProducts {
  static constexpr Index kColumns = 96;
  const Isa& isa;
  const ops::Conv2dProblem& p;
  View<const float> x, dy;
  Index outputs = panels(isa, dy.shape.c) * isa.panel;  ///< padded to whole panels
  Index across = pieces(dy.shape.w, kColumns);

  Index rows() const { return dy.shape.n * dy.shape.h * across; }
  /// Floats of the copies that `add` makes of a row of x and, where panels are not full, of slopes.
  Index columns(Index count) const { return (count - 1) * p.stride.x + (p.kernel.x - 1) * p.dilation.x + 1; }
  Index window() const { return columns(pieces(dy.shape.w, across)) * p.large.c; }
  Index slopes() const { return outputs == dy.shape.c ? 0 : pieces(dy.shape.w, across) * outputs; }

  /// Adds what row `row` gives to the taps of kernel row ky.
  void add(Index row, Index ky, float* window, float* slopes, float* sums) const {
    const Index n = row / (dy.shape.h * across), y = row / across % dy.shape.h, piece = row % across;
    const Index x0 = piece_begin(dy.shape.w, across, piece), count = piece_begin(dy.shape.w, across, piece + 1) - x0;
    ops::detail::copy_padded(x, n, y * p.stride.y + ky * p.dilation.y - p.pad.y, x0 * p.stride.x - p.pad.x, 1,
                             columns(count), window);
    const float* d = dy.pixel(n, y, x0);
    Index pixel = dy.pixel_stride;
    if (outputs != dy.shape.c) {
      for (Index j = 0; j < count; ++j) {
        std::copy_n(d + j * pixel, dy.shape.c, slopes + j * outputs);
        std::fill(slopes + j * outputs + dy.shape.c, slopes + (j + 1) * outputs, 0.0f);
      }
      d = slopes, pixel = outputs;
    }
    const Index ci = p.large.c, lda = p.stride.x * ci;
    if (p.dilation.x == 1)
      return isa.product_transposed(p.kernel.x * ci, dy.shape.c, count, window, lda, d, pixel, sums, outputs);
    for (Index kx = 0; kx < p.kernel.x; ++kx)
      isa.product_transposed(ci, dy.shape.c, count, window + kx * p.dilation.x * ci, lda, d, pixel,
                             sums + kx * ci * outputs, outputs);
  }
};

}  // namespace

/// Rows of pixels are dealt to strips, by the shapes alone; each strip has sums of its own, added in order.
void weight_gradient_direct(Context<Cpu>& context, const Isa& isa, const ops::Conv2dProblem& p, View<const float> x,
                            View<const float> dy, float* dweight) {
  if (dy.shape.count() == 0 || x.shape.count() == 0) return;
  const RowProducts products{isa, p, x, dy};
  constexpr Index kSums = 1 << 22, kMostStrips = 32, kPixels = 256;  // a strip's, so that its sums are worth it
  const Index k = p.kernel.y, taps = p.kernel.x * p.large.c, rows = products.rows(), size = taps * products.outputs;
  const Index most = std::min({rows, kMostStrips, pieces(dy.shape.pixels(), kPixels)});
  const Index strips = std::clamp<Index>(kSums / (k * size), 1, most);
  Tensor<Cpu> memory = context.zeros({strips, k, 1, size});
  float* const sums = memory.view<float>().data;
  const auto window = context.scratch<float>(products.window());
  const auto slopes = context.scratch<float>(products.slopes());
  context.run(strips * k, [&](Index chunk, int worker) {
    const Index strip = chunk / k;
    for (Index row = piece_begin(rows, strips, strip); row < piece_begin(rows, strips, strip + 1); ++row)
      products.add(row, chunk % k, window[worker], slopes[worker], sums + chunk * size);
  });
  context.run(k * taps, [&](Index tap, int) {
    for (Index o = 0; o < p.small.c; ++o) {
      float sum = 0;
      for (Index strip = 0; strip < strips; ++strip) sum += sums[(strip * k * taps + tap) * products.outputs + o];
      dweight[o * k * taps + tap] += sum;
    }
  });
}

}  // namespace nucdet::cpu
