#include <algorithm>

#include "cpu/convolution.hpp"

namespace nucdet::cpu {

const Winograd* winograd_for(const Isa& isa, ConvolutionMethod method, Pass pass, const ops::Conv2dProblem& problem,
                             Index inputs, Index outputs) {
  const Index kernel = problem.kernel.y;
  if (problem.stride != 1 || problem.dilation != 1 || problem.groups != 1 || problem.kernel.x != kernel) return nullptr;
  if (inputs % isa.lanes != 0 || outputs % isa.lanes != 0) return nullptr;
  int m = 4;
  switch (method) {
    case ConvolutionMethod::direct:
      return nullptr;
    case ConvolutionMethod::winograd_2:
      m = 2;
      break;
    case ConvolutionMethod::winograd_4:
      break;
    case ConvolutionMethod::winograd_6:
      m = 6;
      break;
    case ConvolutionMethod::automatic:
      // Measured (bench_ops): 6 to 10 % faster with few channels, slower with many on the small maps that have them.
      // In the gradient of weights the sums grow with the number of points.
      if (pass == Pass::map && kernel == 3 && inputs <= 128 && inputs * outputs <= 128 * 64) m = 6;
  }
  for (const Winograd& f : isa.winograd)
    if (f.r == kernel && f.m == m) return &f;
  return nullptr;
}

namespace {

/// The tiles of a batch of maps, numbered image by image, row by row.
struct TileGrid {
  Index images, down, across, m;
  TileGrid(const Shape& y, Index size) : images(y.n), down(pieces(y.h, size)), across(pieces(y.w, size)), m(size) {}
  Index count() const { return images * down * across; }

  /// Calls body(n, row of tiles, first column, tiles, number of the first) for the strips of [begin, end).
  template <class Body>
  void strips(Index begin, Index end, const Body& body) const {
    for (Index t = begin; t < end;) {
      const Index row = t / across, column = t % across;
      const Index count = std::min({Index{kStrip}, across - column, end - t});
      body(row / down, row % down, column, count, t - begin);
      t += count;
    }
  }
};

Map map_of(View<const float> x, Index n) {
  return {x.pixel(n, 0, 0), x.row_stride, x.pixel_stride, x.shape.h, x.shape.w, x.shape.c};
}

/// Elements between the planes of two points: padded, or all points of a tile would meet in one set of the cache.
Index plane_of(Index tiles, Index channels) { return tiles * channels + 16; }

/// The products of one panel at one point, the depth in parts whose factors stay in the first-level cache.
void product(const Isa& isa, Index tiles, Index depth, const float* v, const float* u, float* p) {
  constexpr Index kDepth = 256;
  for (Index k = 0; k < depth; k += kDepth)
    isa.product(tiles, std::min(kDepth, depth - k), v + k, depth, u + k * isa.panel, p, isa.panel, k > 0);
}

struct Work {
  const Isa& isa;
  const Winograd& f;
  const Correlation& c;
  TileGrid grid;
  Index points, outputs;  ///< outputs: panels
  const float* filters;   ///< [panel][point][input][panel's outputs]
  DeviceArray<float, Cpu> bias;

  Index inputs() const { return c.x.shape.c; }
  Index filter_plane() const { return inputs() * isa.panel; }

  void transform(Index begin, Index end, float* v, Index plane) const {
    grid.strips(begin, end, [&](Index n, Index row, Index column, Index count, Index at) {
      f.input(map_of(c.x, n), row * f.m - c.off_y, column * f.m - c.off_x, count, v + at * inputs(), plane);
    });
  }
  void multiply(Index panel, Index point, Index tiles, const float* v, float* p) const {
    product(isa, tiles, inputs(), v, filters + (panel * points + point) * filter_plane(), p);
  }
  void write(Index panel, Index begin, Index end, const float* p, Index plane) const {
    const Shape& y = c.y.shape;
    grid.strips(begin, end, [&](Index n, Index row, Index column, Index count, Index at) {
      const Index top = row * f.m, left = column * f.m;
      f.output(p + at * isa.panel, plane, count, std::min<Index>(f.m, y.h - top), y.w - left,
               store_at(isa, c, bias.data(), n, top, left, panel));
    });
  }
};

/// Many tiles: a block of them is transformed, multiplied and stored by one worker, in its caches.
void run_blocks(Context<Cpu>& context, const Work& w, Index blocks) {
  constexpr Index kGroup = 4;  // panels whose products wait to be stored
  const Index group = std::min(kGroup, w.outputs);
  const Index tiles = w.grid.count(), most = pieces(tiles, blocks);
  const Index v_plane = plane_of(most, w.inputs()), p_plane = plane_of(most, w.isa.panel);
  const auto memory = context.scratch<float>(w.points * (v_plane + group * p_plane));
  context.run(blocks, [&](Index chunk, int worker) {
    const Index begin = piece_begin(tiles, blocks, chunk), end = piece_begin(tiles, blocks, chunk + 1);
    float *const v = memory[worker], *const p = v + w.points * v_plane;
    w.transform(begin, end, v, v_plane);
    for (Index first = 0; first < w.outputs; first += group) {
      const Index last = std::min(first + group, w.outputs);
      for (Index point = 0; point < w.points; ++point)
        for (Index panel = first; panel < last; ++panel)
          w.multiply(panel, point, end - begin, v + point * v_plane,
                     p + ((panel - first) * w.points + point) * p_plane);
      for (Index panel = first; panel < last; ++panel)
        w.write(panel, begin, end, p + (panel - first) * w.points * p_plane, p_plane);
    }
  });
}

/// Few tiles and many filters: all tiles are transformed first, then every worker takes filters that nobody else reads.
void run_panels(Context<Cpu>& context, const Work& w) {
  const Index tiles = w.grid.count(), v_plane = plane_of(tiles, w.inputs()), p_plane = plane_of(tiles, w.isa.panel);
  Tensor<Cpu> memory = context.make({1, 1, 1, w.points * v_plane});
  float* const v = memory.view<float>().data;
  const Index parts = pieces(tiles, kStrip);
  context.run(parts, [&](Index part, int) {
    const Index begin = piece_begin(tiles, parts, part), end = piece_begin(tiles, parts, part + 1);
    w.transform(begin, end, v + begin * w.inputs(), v_plane);
  });
  const auto products = context.scratch<float>(w.points * p_plane);
  context.run(w.outputs, [&](Index panel, int worker) {
    float* const p = products[worker];
    for (Index point = 0; point < w.points; ++point)
      w.multiply(panel, point, tiles, v + point * v_plane, p + point * p_plane);
    w.write(panel, 0, tiles, p, p_plane);
  });
}

/// Blocks of tiles: small ones keep what they transform in the second-level cache; where the filters do not fit there
/// either, larger ones read them less often. Multiples of 24 fill the rows of every product. Measured: bench_ops.
Index blocks_of(Index tiles, Index filter_elements) {
  constexpr Index kCachedFilters = 1 << 20;
  const Index blocks = pieces(tiles, filter_elements <= kCachedFilters ? 24 : 72);
  return blocks < 16 ? (blocks + 3) / 4 * 4 : blocks;  // few blocks should share out evenly
}

}  // namespace

void correlate_winograd(Context<Cpu>& context, const Isa& isa, const Winograd& f, const Correlation& c) {
  if (c.y.shape.count() == 0) return;
  const Index points = f.n * f.n, inputs = c.x.shape.c, outputs = panels(isa, c.y.shape.c);
  const Index plane = inputs * isa.panel;
  Tensor<Cpu> memory = context.make({1, outputs, points, plane});
  float* const filters = memory.view<float>().data;
  constexpr Index kInputs = 16;
  const Index parts = pieces(inputs, kInputs);
  context.run(outputs * parts, [&](Index chunk, int) {
    const Filters& g = c.filters;
    const Index panel = chunk / parts, first = chunk % parts * kInputs;
    const Index left = c.y.shape.c - panel * isa.panel;
    f.filters({g.data + panel * isa.panel * g.by_output + first * g.by_input, g.by_output, g.by_input, g.by_row,
               g.by_column, std::min(kInputs, inputs - first), std::min<Index>(isa.panel, left)},
              filters + panel * points * plane + first * isa.panel, plane);
  });
  const Work work{isa,    f,       c,       TileGrid(c.y.shape, f.m),
                  points, outputs, filters, padded_bias(context, isa, c.epilogue.bias, c.y.shape.c)};
  constexpr Index kFewTiles = 144;
  const Index tiles = work.grid.count();
  if (tiles < kFewTiles) return run_panels(context, work);
  run_blocks(context, work, blocks_of(tiles, outputs * points * plane));
}

namespace {

/// What the weight gradient sums over: products of transformed inputs and transformed slopes, [point][input][outputs].
struct GradientWork {
  const Isa& isa;
  const Winograd& f;
  const ops::Conv2dProblem& p;
  View<const float> x, dy;
  TileGrid grid;
  Index points, inputs, outputs;  ///< outputs: padded to whole panels

  Index sums() const { return points * inputs * outputs; }
  Index v_plane(Index tiles) const { return plane_of(tiles, inputs); }
  Index d_plane(Index tiles) const { return plane_of(tiles, outputs); }

  void transform(Index begin, Index end, float* v, Index v_plane, float* d, Index d_plane) const {
    if (outputs != dy.shape.c)
      for (Index q = 0; q < points; ++q) std::fill_n(d + q * d_plane, (end - begin) * outputs, 0.0f);
    grid.strips(begin, end, [&](Index n, Index row, Index column, Index count, Index at) {
      const Index y0 = row * f.m, x0 = column * f.m;
      f.input(map_of(x, n), y0 - p.pad.y, x0 - p.pad.x, count, v + at * inputs, v_plane);
      f.slopes(map_of(dy, n), y0, x0, count, d + at * outputs, outputs, d_plane);
    });
  }
  void multiply(Index point, Index tiles, const float* v, Index v_plane, const float* d, Index d_plane,
                float* sum) const {
    isa.product_transposed(inputs, outputs, tiles, v + point * v_plane, inputs, d + point * d_plane, outputs,
                           sum + point * inputs * outputs, outputs);
  }
};

/// Each strip of blocks has sums of its own.
void sum_strips(Context<Cpu>& context, const GradientWork& w, Index blocks, Index strips, float* sums) {
  const Index tiles = w.grid.count(), most = pieces(tiles, blocks);
  const Index v_plane = w.v_plane(most), d_plane = w.d_plane(most);
  const auto scratch = context.scratch<float>(w.points * (v_plane + d_plane));
  context.run(strips, [&](Index strip, int worker) {
    float *const v = scratch[worker], *const d = v + w.points * v_plane;
    for (Index b = piece_begin(blocks, strips, strip); b < piece_begin(blocks, strips, strip + 1); ++b) {
      const Index begin = piece_begin(tiles, blocks, b), end = piece_begin(tiles, blocks, b + 1);
      w.transform(begin, end, v, v_plane, d, d_plane);
      for (Index q = 0; q < w.points; ++q) w.multiply(q, end - begin, v, v_plane, d, d_plane, sums + strip * w.sums());
    }
  });
}

/// Where the sums are large there is one copy of them, and a worker has points of its own.
void sum_points(Context<Cpu>& context, const GradientWork& w, float* sums) {
  constexpr Index kTiles = 256;
  const Index tiles = w.grid.count(), rounds = pieces(tiles, kTiles), most = pieces(tiles, rounds);
  const Index v_plane = w.v_plane(most), d_plane = w.d_plane(most);
  Tensor<Cpu> memory = context.make({1, 1, 1, w.points * (v_plane + d_plane)});
  float *const v = memory.view<float>().data, *const d = v + w.points * v_plane;
  for (Index round = 0; round < rounds; ++round) {
    const Index first = piece_begin(tiles, rounds, round), count = piece_begin(tiles, rounds, round + 1) - first;
    const Index parts = pieces(count, kStrip);
    context.run(parts, [&](Index part, int) {
      const Index begin = piece_begin(count, parts, part), end = piece_begin(count, parts, part + 1);
      w.transform(first + begin, first + end, v + begin * w.inputs, v_plane, d + begin * w.outputs, d_plane);
    });
    context.run(w.points, [&](Index q, int) { w.multiply(q, count, v, v_plane, d, d_plane, sums); });
  }
}

}  // namespace

/// dG = G' [ sum over tiles of (B' d B)' (A dy A') ] G: the products of forward's transforms, summed over tiles.
void weight_gradient_winograd(Context<Cpu>& context, const Isa& isa, const Winograd& f, const ops::Conv2dProblem& p,
                              View<const float> x, View<const float> dy, float* dweight) {
  if (dy.shape.count() == 0) return;
  const Index ci = x.shape.c, k = p.kernel.y;
  const GradientWork w{isa, f, p, x, dy, TileGrid(dy.shape, f.m), f.n * f.n, ci, panels(isa, dy.shape.c) * isa.panel};
  constexpr Index kSums = 1 << 23, kCached = 110000;
  const Index block = std::clamp<Index>(kCached / (w.points * std::max(ci, w.outputs)), 24, 96);
  const Index blocks = pieces(w.grid.count(), block);
  const Index strips = std::clamp<Index>(kSums / w.sums(), 1, std::min<Index>(blocks, 16));
  const bool many = strips >= 4 || strips == blocks;
  const Index copies = many ? strips : 1;
  Tensor<Cpu> memory = context.zeros({copies, w.points, ci, w.outputs});
  float* const sums = memory.view<float>().data;
  if (many)
    sum_strips(context, w, blocks, strips, sums);
  else
    sum_points(context, w, sums);
  constexpr Index kInputs = 16;
  const Index parts = pieces(ci, kInputs);
  context.run(parts, [&](Index part, int) {
    const Index first = part * kInputs, last = std::min(ci, first + kInputs);
    for (Index strip = 1; strip < copies; ++strip)
      for (Index q = 0; q < w.points; ++q) {
        float* const to = sums + q * ci * w.outputs;
        const float* const from = to + strip * w.sums();
        for (Index i = first * w.outputs; i < last * w.outputs; ++i) to[i] += from[i];
      }
    f.filter_gradients(sums, ci * w.outputs, {dweight, k * k * ci, 1, k * ci, ci, dy.shape.c, w.outputs}, first, last);
  });
}

}  // namespace nucdet::cpu
