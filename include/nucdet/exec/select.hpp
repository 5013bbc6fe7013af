#pragma once
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::exec {

/// Executor 4: stream compaction. kernel(tile, std::vector<Item>& found) appends the items of its tile; the result
/// holds them in row-major order, whatever the number of threads.
template <class Item, class Kernel>
std::vector<Item> select(Context<Cpu>& context, const Shape& grid, const Kernel& kernel) {
  const Index rows = grid.n * grid.h, step = rows_per_chunk(grid), chunks = (rows + step - 1) / step;
  std::vector<std::vector<Item>> parts(static_cast<std::size_t>(chunks));
  context.run(chunks, [&](Index chunk, int) {
    const Index end = chunk * step + step < rows ? chunk * step + step : rows;
    for (Index row = chunk * step; row < end; ++row)
      kernel(Tile{row / grid.h, row % grid.h, 0, grid.w, 0, grid.c}, parts[static_cast<std::size_t>(chunk)]);
  });
  std::vector<Item> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
/// On the GPU (cuda/select.cuh): at most one item a pixel, in the same order. kernel.at(n, y, x, item) is true, and
/// fills the item, where there is one.
template <class Item, class Kernel>
std::vector<Item> select(Context<Cuda>& context, const Shape& grid, const Kernel& kernel);

}  // namespace nucdet::exec
