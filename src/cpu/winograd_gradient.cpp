#include <algorithm>

#include "cpu/winograd.hpp"

namespace nucdet::cpu {

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
    grid.strips(begin, end, [&](Index n, Index row, Index column, Index count, Index at) {
      const Index y0 = row * f.m, x0 = column * f.m;
      f.input(map_of(x, n), y0 - p.pad.y, x0 - p.pad.x, count, v + at * inputs, inputs, v_plane);
      f.slopes(map_of(dy, n), y0, x0, count, d + at * outputs, outputs, d_plane);
    });
  }
  void multiply(Index point, Index tiles, const float* v, Index v_plane, const float* d, Index d_plane,
                float* sum) const {
    isa.product_transposed(inputs, dy.shape.c, tiles, v + point * v_plane, inputs, d + point * d_plane, outputs,
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
  // A strip clears its sums and adds them to the first one's: with less work than that it is not worth a copy.
  constexpr Index kSums = 1 << 23, kCached = 110000, kTiles = 150;
  const Index block = std::clamp<Index>(kCached / (w.points * std::max(ci, w.outputs)), 24, 96);
  const Index blocks = pieces(w.grid.count(), block);
  const Index most = std::min({blocks, Index{16}, std::max<Index>(w.grid.count() / kTiles, 1)});
  const Index strips = std::clamp<Index>(kSums / w.sums(), 1, most);
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
