#pragma once
#include <algorithm>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet {

/// Rows summed into one partial result: a function of the shape alone, so that sums do not depend on threads.
constexpr Index rows_per_strip(const Shape& grid) { return rows_per_chunk(grid); }

/// Executor 2, reduce_rows: one sum per image. kernel(tile, double sums[Terms]) adds the terms of its tile; the strips
/// of an image are then added in order. out: [n x Terms], double.
template <int Terms, class Kernel>
void reduce_rows(Context<Cpu>& context, const Shape& grid, const Kernel& kernel, double* out) {
  const Index step = rows_per_strip(grid), strips = grid.h > 0 ? (grid.h + step - 1) / step : 0;
  std::vector<double> partial(static_cast<std::size_t>(grid.n * strips * Terms), 0.0);
  context.run(grid.n * strips, [&](Index chunk, int) {
    const Index n = chunk / strips, first = chunk % strips * step, end = std::min(grid.h, first + step);
    double sums[Terms] = {};
    for (Index y = first; y < end; ++y) kernel(Tile{n, y, 0, grid.w, 0, grid.c}, sums);
    std::copy_n(sums, Terms, partial.data() + chunk * Terms);
  });
  std::fill_n(out, grid.n * Terms, 0.0);
  for (Index n = 0; n < grid.n; ++n)
    for (Index s = 0; s < strips; ++s)
      for (int t = 0; t < Terms; ++t)
        out[n * Terms + t] += partial[static_cast<std::size_t>((n * strips + s) * Terms + t)];
}

/// Executor 3, reduce_columns: sums per channel over the pixels of `groups` equal runs of images (1 group: the batch;
/// n groups: each image). kernel(tile, T* sums) adds the terms of its tile to sums[term * c + channel].
/// out: [groups x Terms x c], double; strips are added in order.
template <class T, int Terms, class Kernel>
void reduce_columns(Context<Cpu>& context, const Shape& grid, Index groups, const Kernel& kernel, double* out) {
  const Index rows = grid.n * grid.h, per_group = groups > 0 ? rows / groups : 0;
  const Index step = rows_per_strip(grid), strips = (per_group + step - 1) / step, width = Terms * grid.c;
  std::vector<T> partial(static_cast<std::size_t>(groups * strips * width), T(0));
  context.run(groups * strips, [&](Index chunk, int) {
    const Index group = chunk / strips, first = group * per_group + chunk % strips * step;
    const Index end = std::min((group + 1) * per_group, first + step);
    T* sums = partial.data() + chunk * width;
    for (Index row = first; row < end; ++row) kernel(Tile{row / grid.h, row % grid.h, 0, grid.w, 0, grid.c}, sums);
  });
  std::fill_n(out, groups * width, 0.0);
  for (Index g = 0; g < groups; ++g)
    for (Index s = 0; s < strips; ++s)
      for (Index i = 0; i < width; ++i)
        out[g * width + i] += static_cast<double>(partial[static_cast<std::size_t>((g * strips + s) * width + i)]);
}

}  // namespace nucdet
