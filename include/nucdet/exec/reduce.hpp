#pragma once
#include <algorithm>

#include "nucdet/core/half.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::exec {

/// Rows summed into one partial result: a function of the shape alone, so that sums do not depend on threads.
constexpr Index rows_per_strip(const Shape& grid) { return rows_per_chunk(grid); }

/// The sums of a column kernel: term k of channel c, for the channels from `first` on.
template <class T>
struct ColumnSums {
  T* data;
  Index channels, first;

  NUCDET_HD T& operator()(Index term, Index c) const { return data[term * channels + c - first]; }
};

/// Executor 2, reduce_rows: one sum per image. kernel(tile, double sums[Terms]) adds the terms of its tile; the strips
/// of an image are then added in order. out: [n x Terms] in the device's memory.
template <int Terms, class Kernel>
void reduce_rows(Context<Cpu>& context, const Shape& grid, const Kernel& kernel, double* out) {
  const Index step = rows_per_strip(grid), strips = grid.h > 0 ? (grid.h + step - 1) / step : 0;
  const DeviceArray<double, Cpu> partial(context, static_cast<std::size_t>(grid.n * strips * Terms));
  context.run(grid.n * strips, [&](Index chunk, int) {
    const Index n = chunk / strips, first = chunk % strips * step, end = std::min(grid.h, first + step);
    double sums[Terms] = {};
    for (Index y = first; y < end; ++y) kernel(Tile{n, y, 0, grid.w, 0, grid.c}, sums);
    std::copy_n(sums, Terms, partial.data() + chunk * Terms);
  });
  std::fill_n(out, grid.n * Terms, 0.0);
  for (Index n = 0; n < grid.n; ++n)
    for (Index s = 0; s < strips; ++s)
      for (int t = 0; t < Terms; ++t) out[n * Terms + t] += partial.data()[(n * strips + s) * Terms + t];
}
/// On the GPU the kernel sees tiles of one pixel: cuda/reduce.cuh.
template <int Terms, class Kernel>
void reduce_rows(Context<Cuda>& context, const Shape& grid, const Kernel& kernel, double* out);

/// Executor 3, reduce_columns: sums per channel over the pixels of `groups` equal runs of images (1 group: the batch;
/// n groups: each image). kernel(tile, ColumnSums<T> sums) adds the terms of its tile to sums(term, channel).
/// out: [groups x Terms x c] in the device's memory; strips are added in order, in double.
template <class T, int Terms, class Kernel>
void reduce_columns(Context<Cpu>& context, const Shape& grid, Index groups, const Kernel& kernel, double* out) {
  const Index rows = grid.n * grid.h, per_group = groups > 0 ? rows / groups : 0;
  const Index step = rows_per_strip(grid), strips = (per_group + step - 1) / step, width = Terms * grid.c;
  const DeviceArray<T, Cpu> partial(context, static_cast<std::size_t>(groups * strips * width));
  context.run(groups * strips, [&](Index chunk, int) {
    const Index group = chunk / strips, first = group * per_group + chunk % strips * step;
    const Index end = std::min((group + 1) * per_group, first + step);
    T* sums = partial.data() + chunk * width;
    std::fill_n(sums, width, T(0));
    for (Index row = first; row < end; ++row)
      kernel(Tile{row / grid.h, row % grid.h, 0, grid.w, 0, grid.c}, ColumnSums<T>{sums, grid.c, 0});
  });
  std::fill_n(out, groups * width, 0.0);
  for (Index g = 0; g < groups; ++g)
    for (Index s = 0; s < strips; ++s)
      for (Index i = 0; i < width; ++i)
        out[g * width + i] += static_cast<double>(partial.data()[(g * strips + s) * width + i]);
}
/// On the GPU a thread sees a few channels of one pixel at a time: cuda/reduce.cuh.
template <class T, int Terms, class Kernel>
void reduce_columns(Context<Cuda>& context, const Shape& grid, Index groups, const Kernel& kernel, double* out);

}  // namespace nucdet::exec
