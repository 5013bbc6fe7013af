#pragma once
#include <vector>

#include "nucdet/cuda/launch.cuh"
#include "nucdet/exec/select.hpp"

/// Stream compaction in row-major order, in three kernels: each block marks its pixels that have an item and counts
/// them; one block turns the counts into places; the marked pixels write.
namespace nucdet::exec {

namespace device {

using namespace nucdet::cuda;

inline constexpr int kMarkWords = kBlockThreads / 32;

/// How many bits are set.
inline __device__ int set_bits(unsigned word) {
  word -= (word >> 1) & 0x55555555u;
  word = (word & 0x33333333u) + ((word >> 2) & 0x33333333u);
  return static_cast<int>((((word + (word >> 4)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24);
}

template <class Item, class Kernel>
__global__ void __launch_bounds__(kBlockThreads)
    mark_items_kernel(Kernel kernel, Shape grid, unsigned* marks, Index* counts) {
  __shared__ unsigned char found[kBlockThreads];
  __shared__ unsigned words[kMarkWords];
  const int thread = static_cast<int>(threadIdx.x);
  const Index pixel = first_item();
  bool any = false;
  if (pixel < grid.pixels()) {
    const PixelPlace at = pixel_place(pixel, grid.h, grid.w);
    Item item{};
    any = kernel.at(at.n, at.y, at.x, item);
  }
  found[thread] = any ? 1 : 0;
  __syncthreads();
  if (thread < kMarkWords) {
    unsigned word = 0;
    for (int k = 0; k < 32; ++k) word |= static_cast<unsigned>(found[thread * 32 + k]) << k;
    words[thread] = marks[static_cast<Index>(blockIdx.x) * kMarkWords + thread] = word;
  }
  __syncthreads();
  if (thread == 0) {
    Index count = 0;
    for (int k = 0; k < kMarkWords; ++k) count += set_bits(words[k]);
    counts[blockIdx.x] = count;
  }
}

/// counts[i] becomes the sum of those before it; *total the sum of all. One block.
static __global__ void __launch_bounds__(kBlockThreads) place_items_kernel(Index* counts, Index blocks, Index* total) {
  __shared__ Index sums[kBlockThreads + 1];
  const int thread = static_cast<int>(threadIdx.x);
  const Index each = (blocks + kBlockThreads - 1) / kBlockThreads, first = thread * each,
              last = first + each < blocks ? first + each : blocks;
  Index sum = 0;
  for (Index i = first; i < last; ++i) sum += counts[i];
  sums[thread + 1] = sum;
  __syncthreads();
  if (thread == 0) {
    sums[0] = 0;
    for (int k = 1; k <= kBlockThreads; ++k) sums[k] += sums[k - 1];
    *total = sums[kBlockThreads];
  }
  __syncthreads();
  Index before = sums[thread];
  for (Index i = first; i < last; ++i) {
    const Index own = counts[i];
    counts[i] = before;
    before += own;
  }
}

template <class Item, class Kernel>
__global__ void __launch_bounds__(kBlockThreads)
    write_items_kernel(Kernel kernel, Shape grid, const unsigned* marks, const Index* places, Item* items, Index room) {
  const int thread = static_cast<int>(threadIdx.x);
  const unsigned* const mine = marks + static_cast<Index>(blockIdx.x) * kMarkWords;
  if ((mine[thread / 32] >> (thread % 32) & 1u) == 0) return;
  Index place = places[blockIdx.x];
  for (int k = 0; k < thread / 32; ++k) place += set_bits(mine[k]);
  place += set_bits(mine[thread / 32] & ((1u << (thread % 32)) - 1u));
  if (place >= room) return;
  const PixelPlace at = pixel_place(first_item(), grid.h, grid.w);
  Item item{};
  kernel.at(at.n, at.y, at.x, item);
  items[place] = item;
}

/// What comes down in one copy: the count, and as many items as there nearly always are.
template <class Item>
struct SelectedHead {
  Index count;
  Item items[1024];
};

}  // namespace device

template <class Item, class Kernel>
std::vector<Item> select(Context<Cuda>& context, const Shape& grid, const Kernel& kernel) {
  using Head = device::SelectedHead<Item>;
  constexpr Index kInHead = sizeof(Head::items) / sizeof(Item);
  const Index pixels = grid.pixels(), blocks = (pixels + kBlockThreads - 1) / kBlockThreads;
  if (pixels == 0) return {};
  const DeviceArray<unsigned, Cuda> marks(context, static_cast<std::size_t>(blocks * device::kMarkWords));
  const DeviceArray<Index, Cuda> counts(context, static_cast<std::size_t>(blocks));
  const DeviceArray<Head, Cuda> head(context, 1);
  const dim3 all(static_cast<unsigned>(blocks));
  const auto write = [&](Item* items, Index room) {
    cuda::launch(context, all, device::write_items_kernel<Item, Kernel>, kernel, grid, marks.data(), counts.data(),
                 items, room);
  };
  cuda::launch(context, all, device::mark_items_kernel<Item, Kernel>, kernel, grid, marks.data(), counts.data());
  cuda::launch(context, dim3(1), device::place_items_kernel, counts.data(), blocks, &head.data()->count);
  write(head.data()->items, kInHead);
  const std::vector<Head> first = head.read(context);
  if (first[0].count <= kInHead) return {first[0].items, first[0].items + first[0].count};
  const DeviceArray<Item, Cuda> items(context, static_cast<std::size_t>(first[0].count));
  write(items.data(), first[0].count);
  return items.read(context);
}

}  // namespace nucdet::exec
