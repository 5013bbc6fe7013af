#pragma once
#include <cstdint>
#include <span>

#include "nucdet/cuda/launch.cuh"
#include "nucdet/exec/rows.hpp"

namespace nucdet::exec {

namespace device {

using namespace nucdet::cuda;

/// As many elements as 16 bytes hold, moved by one instruction.
template <class T, int Lanes>
struct alignas(sizeof(T) * Lanes) Pack {
  T lane[Lanes];
};

/// Where run number `item` of `Lanes` elements lies in a view: the views of a flat op are one run of elements each.
template <class T>
__device__ T* run_of(const View<T>& view, const PixelPlace& at, Index c, Index element, bool flat) {
  return flat ? view.data + element : view.pixel(at.n, at.y, at.x) + c;
}

template <int Lanes, class T, class Body, std::size_t Inputs, std::size_t... K>
__device__ void run_item(const detail::RunKernel<T, Body, Inputs>& kernel, Index item, Index parts, bool flat,
                         std::index_sequence<K...>) {
  PixelPlace at{};
  Index c = 0;
  if (!flat) {
    const Index pixel = divide(item, parts);
    c = (item - pixel * parts) * Lanes;
    at = pixel_place(pixel, kernel.out.shape.h, kernel.out.shape.w);
  }
  using Lane = Pack<T, Lanes>;
  Lane in[Inputs == 0 ? 1 : Inputs];
  ((in[K] = *reinterpret_cast<const Lane*>(run_of(kernel.in[K], at, c, item * Lanes, flat))), ...);
  Lane* const place = reinterpret_cast<Lane*>(run_of(kernel.out, at, c, item * Lanes, flat));
  Lane out{};
  if constexpr (detail::ReadsOutput<Body>) out = *place;
  if constexpr (detail::KnowsPlace<Body>)
    kernel.body(RunPlace{at.n, c}, in[K].lane..., out.lane, Index{Lanes});
  else
    kernel.body(in[K].lane..., out.lane, Index{Lanes});
  *place = out;
}

template <int Lanes, class T, class Body, std::size_t Inputs>
__global__ void __launch_bounds__(kBlockThreads)
    run_rows_kernel(detail::RunKernel<T, Body, Inputs> kernel, Index parts, Index items, bool flat) {
  for (Index item = first_item(); item < items; item += item_stride())
    run_item<Lanes>(kernel, item, parts, flat, std::make_index_sequence<Inputs>{});
}

template <class T>
bool aligned(const T* data, Index lanes) {
  return reinterpret_cast<std::uintptr_t>(data) % (static_cast<std::uintptr_t>(lanes) * sizeof(T)) == 0;
}
/// Whether every run of `lanes` channels of the view begins on a multiple of its own size.
template <class T>
bool aligned_runs(const View<T>& view, Index lanes) {
  const auto multiple = [lanes](Index n) { return n % lanes == 0; };
  return aligned(view.data, lanes) && multiple(view.pixel_stride) && multiple(view.row_stride) &&
         multiple(view.image_stride) && multiple(view.shape.c);
}

}  // namespace device

template <class T, class Body, std::size_t Inputs>
void run_rows(Context<Cuda>& context, const detail::RunKernel<T, Body, Inputs>& kernel) {
  constexpr Index kLanes = 16 / static_cast<Index>(sizeof(T));
  const Shape& shape = kernel.out.shape;
  const std::span<const View<const T>> inputs(kernel.in, Inputs);
  bool flat = kernel.out.dense() && !detail::KnowsPlace<Body>;
  for (const View<const T>& in : inputs) flat = flat && in.dense();
  const auto fits = [&](const auto& view) {
    return flat ? device::aligned(view.data, kLanes) && shape.count() % kLanes == 0
                : device::aligned_runs(view, kLanes);
  };
  bool wide = fits(kernel.out);
  for (const View<const T>& in : inputs) wide = wide && fits(in);
  const Index lanes = wide ? kLanes : 1, items = shape.count() / lanes;
  const auto run = wide ? device::run_rows_kernel<static_cast<int>(kLanes), T, Body, Inputs>
                        : device::run_rows_kernel<1, T, Body, Inputs>;
  cuda::launch(context, dim3(static_cast<unsigned>(blocks_for(items))), run, kernel, shape.c / lanes, items, flat);
}

}  // namespace nucdet::exec
