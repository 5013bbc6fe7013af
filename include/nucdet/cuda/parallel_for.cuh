#pragma once
#include "nucdet/cuda/launch.cuh"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::exec {

namespace device {

using namespace nucdet::cuda;

/// A thread owns `each` channels of one pixel at a time.
template <class Kernel>
__global__ void __launch_bounds__(kBlockThreads)
    parallel_for_kernel(Kernel kernel, Shape grid, Index each, Index items) {
  const Index parts = divide(grid.c, each);
  for (Index item = first_item(); item < items; item += item_stride()) {
    const Index pixel = divide(item, parts), c = (item - pixel * parts) * each;
    const PixelPlace at = pixel_place(pixel, grid.h, grid.w);
    kernel(Tile{at.n, at.y, at.x, at.x + 1, c, c + each});
  }
}

}  // namespace device

template <class Kernel>
void parallel_for(Context<Cuda>& context, const Shape& grid, const Kernel& kernel) {
  if (grid.count() == 0) return;
  const Index each = channels_per_thread(grid.c), items = grid.count() / each;
  cuda::launch(context, dim3(static_cast<unsigned>(blocks_for(items))), device::parallel_for_kernel<Kernel>, kernel,
               grid, each, items);
}

}  // namespace nucdet::exec
