#pragma once
#include "nucdet/core/context.hpp"

namespace nucdet::exec {

/// The part of an NHWC grid that one call of a kernel owns: pixels [x0, x1) of row y of image n, channels [c0, c1).
/// The CPU hands out whole rows, so that the kernel's inner loops vectorise; a GPU thread gets a few channels of a
/// pixel.
struct Tile {
  Index n, y, x0, x1, c0, c1;
};

/// Rows given to one chunk: about 16 Ki elements, from the shape alone.
constexpr Index rows_per_chunk(const Shape& grid) {
  const Index row = grid.w * grid.c > 0 ? grid.w * grid.c : 1;
  return row >= 16384 ? 1 : (16384 + row - 1) / row;
}

/// Executor 1: calls kernel(tile) until every element of `grid` is owned once. A kernel writes only what it owns.
template <class Kernel>
void parallel_for(Context<Cpu>& context, const Shape& grid, const Kernel& kernel) {
  const Index rows = grid.n * grid.h, step = rows_per_chunk(grid);
  if (grid.count() == 0) return;
  context.run((rows + step - 1) / step, [&](Index chunk, int) {
    const Index end = chunk * step + step < rows ? chunk * step + step : rows;
    for (Index row = chunk * step; row < end; ++row) kernel(Tile{row / grid.h, row % grid.h, 0, grid.w, 0, grid.c});
  });
}

/// On the GPU: declared here for every host compiler, defined in cuda/parallel_for.cuh, instantiated in src/cuda.
template <class Kernel>
void parallel_for(Context<Cuda>& context, const Shape& grid, const Kernel& kernel);

}  // namespace nucdet::exec
