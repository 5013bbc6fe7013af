#include "cpu/winograd.hpp"

#include <algorithm>
#include <utility>

namespace nucdet::cpu {

const Winograd* winograd_for(const Isa& isa, ConvolutionMethod method, Pass pass, const ops::Conv2dProblem& problem,
                             Index inputs, Index outputs) {
  const Index taps = pieces(problem.kernel.y, problem.stride.y);  // the most that a phase has along an axis
  if (pieces(problem.kernel.x, problem.stride.x) != taps || problem.dilation != 1 || problem.groups != 1)
    return nullptr;
  if (inputs % isa.lanes != 0 || outputs % isa.lanes != 0) return nullptr;
  const bool strided = problem.stride != 1;
  constexpr Index kMostPhases = 4;  // each has filters of its own
  if (strided && (problem.stride.count() > kMostPhases || pass == Pass::weights)) return nullptr;
  if (taps == 2 && !strided) return nullptr;
  int m = taps == 2 ? 5 : 4;
  switch (method) {
    case ConvolutionMethod::direct:
      return nullptr;
    case ConvolutionMethod::winograd_2:
      if (taps == 2) return nullptr;  // tiles of 5 x 5 are not as accurate
      m = 2;
      break;
    case ConvolutionMethod::winograd_4:
      break;
    case ConvolutionMethod::winograd_6:
      if (taps != 2) m = 6;
      break;
    case ConvolutionMethod::automatic:
      // Measured (bench_ops): phases are 1.2 to 1.5 times as fast as plain sums, with many channels on the small maps
      // that have them slower; 6 x 6 are 6 to 10 % faster with few channels, alike. In the gradient of weights the sums
      // grow with the number of points.
      if (strided && std::min(inputs, outputs) > 64) return nullptr;
      if (pass == Pass::map && !strided && taps == 3 && inputs <= 128 && inputs * outputs <= 128 * 64) m = 6;
  }
  for (const Winograd& f : isa.winograd)
    if (f.r == taps && f.m == m) return &f;
  return nullptr;
}

namespace {

/// The products of one panel at one point, the depth in parts whose factors stay in the first-level cache.
void product(const Isa& isa, Index tiles, Index depth, const float* v, Index ldv, const float* u, float* p,
             Index outputs, bool add) {
  constexpr Index kDepth = 256;
  for (Index k = 0; k < depth; k += kDepth)
    isa.product(tiles, std::min(kDepth, depth - k), v + k, ldv, u + k * isa.panel, p, isa.panel, outputs, add || k > 0);
}

/// Correlations that share their transforms: the terms of one output, each from an input of its own, or the outputs of
/// one input.
struct Work {
  const Isa& isa;
  const Winograd& f;
  std::span<const Correlation> parts;
  Sharing sharing;
  TileGrid grid;
  Index points, panels_each;  ///< panels of an output
  const float* filters;       ///< [output][panel][point][depth][panel's channels], depth: the inputs side by side
  DeviceArray<float, Cpu> bias;

  /// Parts whose inputs lie side by side.
  Index inputs() const { return sharing == Sharing::output ? static_cast<Index>(parts.size()) : 1; }
  /// Where the channels of part k's input begin among them.
  Index begin_of(Index k) const {
    Index begin = 0;
    for (Index i = 0; sharing == Sharing::output && i < k; ++i) begin += part(i).filters.inputs;
    return begin;
  }
  Index depth() const { return begin_of(inputs() - 1) + part(inputs() - 1).filters.inputs; }
  Index filter_plane() const { return plane_of(depth(), isa.panel); }
  /// All panels of all outputs.
  Index panels_in_all() const {
    return panels_each * (sharing == Sharing::output ? 1 : static_cast<Index>(parts.size()));
  }
  const Correlation& part(Index k) const { return parts[static_cast<std::size_t>(k)]; }

  void transform(Index begin, Index end, float* v, Index plane) const {
    const Index tile = depth();
    for (Index k = 0; k < inputs(); ++k) {
      const Correlation& c = part(k);
      float* const first = v + begin_of(k);
      grid.strips(begin, end, [&](Index n, Index row, Index column, Index count, Index at) {
        f.input(map_of(c.x, n), row * f.m - c.off_y, column * f.m - c.off_x, count, first + at * tile, tile, plane);
      });
    }
  }
  /// Whether a part's filters differ from zero at a point: those with fewer taps than r vanish at 0, at infinity or at
  /// both, by where their taps lie.
  bool reaches(const Correlation& c, Index point) const {
    const auto along = [&](Index at, Index place, Index taps) {
      return at == 0 ? place == 0 : at == f.n - 1 ? place + taps == f.r : true;
    };
    return along(point / f.n, c.place.y, c.filters.rows) && along(point % f.n, c.place.x, c.filters.columns);
  }
  void multiply(Index panel, Index point, Index tiles, const float* v, float* p) const {
    const float* const u = filters + (panel * points + point) * filter_plane();
    const Index tile = depth(), outputs = parts[0].y.shape.c - panel % panels_each * isa.panel;
    bool any = false;
    const auto add = [&](Index first, Index last) {
      product(isa, tiles, last - first, v + first, tile, u + first * isa.panel, p, outputs, std::exchange(any, true));
    };
    if (sharing == Sharing::input) {
      if (reaches(part(panel / panels_each), point)) add(0, tile);
    } else {
      Index first = 0, last = 0;  // neighbours together
      for (const Correlation& c : parts) {
        const bool reached = reaches(c, point);
        if (!reached && last > first) add(first, last);
        last += c.filters.inputs;
        if (!reached) first = last;
      }
      if (last > first) add(first, last);
    }
    if (!any) std::fill_n(p, tiles * isa.panel, 0.0f);
  }
  void write(Index panel, Index begin, Index end, const float* p, Index plane) const {
    const Correlation& c = part(panel / panels_each);
    const Shape& y = c.y.shape;
    grid.strips(begin, end, [&](Index n, Index row, Index column, Index count, Index at) {
      const Index top = row * f.m, left = column * f.m;
      if (top >= y.h || left >= y.w) return;  // a later phase may be a pixel smaller
      f.output(p + at * isa.panel, plane, count, std::min<Index>(f.m, y.h - top), y.w - left,
               store_at(isa, c, bias.data(), n, top, left, panel % panels_each));
    });
  }
};

/// Filters as products read them.
void transform_filters(Context<Cpu>& context, const Work& w, float* filters) {
  const Index plane = w.filter_plane();
  for (Index k = 0; k < static_cast<Index>(w.parts.size()); ++k) {
    const Correlation& c = w.part(k);
    const Filters& g = c.filters;
    const Index chunks = pieces(g.inputs, kFilterInputs);
    const Index panel_of_output = w.sharing == Sharing::output ? 0 : k * w.panels_each;
    context.run(w.panels_each * chunks, [&](Index chunk, int) {
      const Index panel = chunk / chunks, first = chunk % chunks * kFilterInputs;
      w.f.filters(
          {g.data + panel * w.isa.panel * g.by_output + first * g.by_input, g.by_output, g.by_input, g.by_row,
           g.by_column, std::min<Index>(kFilterInputs, g.inputs - first),
           std::min<Index>(w.isa.panel, g.outputs - panel * w.isa.panel), g.rows, g.columns, c.place.y, c.place.x},
          filters + (panel_of_output + panel) * w.points * plane + (w.begin_of(k) + first) * w.isa.panel, plane);
    });
  }
}

/// Many tiles: a block of them is transformed, multiplied and stored by one worker, in its caches.
void run_blocks(Context<Cpu>& context, const Work& w, Index blocks) {
  constexpr Index kGroup = 4;  // panels whose products wait to be stored
  const Index group = std::min(kGroup, w.panels_in_all());
  const Index tiles = w.grid.count(), most = pieces(tiles, blocks);
  const Index v_plane = plane_of(most, w.depth()), p_plane = plane_of(most, w.isa.panel);
  const auto memory = context.scratch<float>(w.points * (v_plane + group * p_plane));
  context.run(blocks, [&](Index chunk, int worker) {
    const Index begin = piece_begin(tiles, blocks, chunk), end = piece_begin(tiles, blocks, chunk + 1);
    float *const v = memory[worker], *const p = v + w.points * v_plane;
    w.transform(begin, end, v, v_plane);
    for (Index first = 0; first < w.panels_in_all(); first += group) {
      const Index last = std::min(first + group, w.panels_in_all());
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
  const Index tiles = w.grid.count(), v_plane = plane_of(tiles, w.depth()), p_plane = plane_of(tiles, w.isa.panel);
  Tensor<Cpu> memory = context.make({1, 1, 1, w.points * v_plane});
  float* const v = memory.view<float>().data;
  const Index parts = pieces(tiles, kStrip);
  context.run(parts, [&](Index part, int) {
    const Index begin = piece_begin(tiles, parts, part), end = piece_begin(tiles, parts, part + 1);
    w.transform(begin, end, v + begin * w.depth(), v_plane);
  });
  const auto products = context.scratch<float>(w.points * p_plane);
  context.run(w.panels_in_all(), [&](Index panel, int worker) {
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
  const Index blocks = pieces(tiles, filter_elements <= kCachedFilters ? 24 : 72), sharers = blocks < 16 ? 4 : 2;
  return pieces(blocks, sharers) * sharers;  // few blocks should share out evenly
}

}  // namespace

void correlate_winograd(Context<Cpu>& context, const Isa& isa, const Winograd& f, Sharing sharing,
                        std::span<const Correlation> parts) {
  const Correlation& c = parts[0];  // of the largest output
  if (c.y.shape.count() == 0) return;
  Work work{isa,
            f,
            parts,
            sharing,
            {c.y.shape, f.m},
            f.n * f.n,
            panels(isa, c.y.shape.c),
            nullptr,
            padded_bias(context, isa, c.epilogue.bias, c.y.shape.c)};
  Tensor<Cpu> memory = context.make({1, work.panels_in_all(), work.points, work.filter_plane()});
  transform_filters(context, work, memory.view<float>().data);
  work.filters = memory.view<float>().data;
  constexpr Index kFewTiles = 144;
  const Index tiles = work.grid.count();
  if (tiles < kFewTiles) return run_panels(context, work);
  run_blocks(context, work, blocks_of(tiles, work.panels_in_all() * work.points * work.depth() * isa.panel));
}

}  // namespace nucdet::cpu
