#pragma once
#include "nucdet/cuda/launch.cuh"
#include "nucdet/exec/reduce.hpp"

/// Sums in two kernels: blocks add up strips, as a tree in shared memory; then the strips are added in order, in
/// double. Nothing is added atomically, so that the same input gives the same bits.
namespace nucdet::exec {

namespace device {

using namespace nucdet::cuda;

/// Strip blockIdx.x of group blockIdx.y, channels of column block blockIdx.z. partial: [groups][strips][Terms * c].
template <class T, int Terms, int Each, class Kernel>
__global__ void __launch_bounds__(kBlockThreads)
    reduce_columns_kernel(Kernel kernel, ColumnCut cut, Shape grid, Index group_pixels, T* partial) {
  __shared__ T shared[Terms * Each * kBlockThreads];
  const int thread = static_cast<int>(threadIdx.x), across = static_cast<int>(cut.across);
  const int lane = thread % across;
  const Index c = (static_cast<Index>(blockIdx.z) * cut.across + lane) * Each, group = static_cast<Index>(blockIdx.y);
  T sums[Terms * Each] = {};
  if (c < grid.c) {
    const Index step = cut.strips * cut.down;
    for (Index p = static_cast<Index>(blockIdx.x) * cut.down + thread / across; p < group_pixels; p += step) {
      const PixelPlace at = pixel_place(group * group_pixels + p, grid.h, grid.w);
      kernel(Tile{at.n, at.y, at.x, at.x + 1, c, c + Each}, ColumnSums<T>{sums, Each, c});
    }
  }
  for (int k = 0; k < Terms * Each; ++k) shared[k * kBlockThreads + thread] = sums[k];
  for (int half = static_cast<int>(cut.down) / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half * across)
      for (int k = 0; k < Terms * Each; ++k)
        shared[k * kBlockThreads + thread] += shared[k * kBlockThreads + thread + half * across];
  }
  __syncthreads();
  if (thread >= across || c >= grid.c) return;
  T* const out = partial + (group * cut.strips + static_cast<Index>(blockIdx.x)) * Terms * grid.c;
  for (int term = 0; term < Terms; ++term)
    for (int k = 0; k < Each; ++k) out[term * grid.c + c + k] = shared[(term * Each + k) * kBlockThreads + thread];
}

/// out[group][i] = sum over the strips of partial[group][strip][i], in order.
template <class T>
__global__ void __launch_bounds__(kBlockThreads)
    add_strips_kernel(const T* partial, Index strips, Index width, Index items, double* out) {
  for (Index item = first_item(); item < items; item += item_stride()) {
    const Index group = divide(item, width);
    const T* const from = partial + group * strips * width + (item - group * width);
    double sum = 0;
    for (Index s = 0; s < strips; ++s) sum += static_cast<double>(from[s * width]);
    out[item] = sum;
  }
}

/// Strip blockIdx.x of image blockIdx.y. partial: [n][strips][Terms].
template <int Terms, class Kernel>
__global__ void __launch_bounds__(kBlockThreads) reduce_rows_kernel(Kernel kernel, Shape grid, double* partial) {
  __shared__ double shared[Terms * kBlockThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const Index n = static_cast<Index>(blockIdx.y);
  double sums[Terms] = {};
  for (Index p = first_item(); p < grid.h * grid.w; p += item_stride()) {
    const Index y = divide(p, grid.w), x = p - y * grid.w;
    kernel(Tile{n, y, x, x + 1, 0, grid.c}, sums);
  }
  for (int k = 0; k < Terms; ++k) shared[k * kBlockThreads + thread] = sums[k];
  for (int half = kBlockThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half)
      for (int k = 0; k < Terms; ++k) shared[k * kBlockThreads + thread] += shared[k * kBlockThreads + thread + half];
  }
  __syncthreads();
  if (thread == 0)
    for (int k = 0; k < Terms; ++k)
      partial[(n * static_cast<Index>(gridDim.x) + static_cast<Index>(blockIdx.x)) * Terms + k] =
          shared[k * kBlockThreads];
}

template <class T>
void add_strips(Context<Cuda>& context, const T* partial, Index groups, Index strips, Index width, double* out) {
  const Index items = groups * width;
  launch(context, dim3(static_cast<unsigned>(blocks_for(items))), add_strips_kernel<T>, partial, strips, width, items,
         out);
}

}  // namespace device

template <int Terms, class Kernel>
void reduce_rows(Context<Cuda>& context, const Shape& grid, const Kernel& kernel, double* out) {
  if (grid.n == 0) return;
  const Index strips = row_strips(grid.h * grid.w);
  const DeviceArray<double, Cuda> partial(context, static_cast<std::size_t>(grid.n * strips * Terms));
  cuda::launch(context, dim3(static_cast<unsigned>(strips), static_cast<unsigned>(grid.n)),
               device::reduce_rows_kernel<Terms, Kernel>, kernel, grid, partial.data());
  device::add_strips(context, partial.data(), grid.n, strips, Index{Terms}, out);
}

template <class T, int Terms, class Kernel>
void reduce_columns(Context<Cuda>& context, const Shape& grid, Index groups, const Kernel& kernel, double* out) {
  if (groups < 1 || grid.c == 0) return;
  const Index pixels = grid.pixels() / groups;
  const ColumnCut cut = ColumnCut::of(pixels, grid.c);
  const DeviceArray<T, Cuda> partial(context, static_cast<std::size_t>(groups * cut.strips * Terms * grid.c));
  const auto run = cut.each == 4 ? device::reduce_columns_kernel<T, Terms, 4, Kernel>
                                 : device::reduce_columns_kernel<T, Terms, 1, Kernel>;
  const dim3 blocks(static_cast<unsigned>(cut.strips), static_cast<unsigned>(groups),
                    static_cast<unsigned>(cut.columns));
  cuda::launch(context, blocks, run, kernel, cut, grid, pixels, partial.data());
  device::add_strips(context, partial.data(), groups, cut.strips, Terms * grid.c, out);
}

}  // namespace nucdet::exec
