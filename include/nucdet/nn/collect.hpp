#pragma once
#include <span>
#include <utility>

#include "nucdet/core/context.hpp"
#include "nucdet/core/tensor.hpp"
#include "nucdet/nn/map_type.hpp"
#include "nucdet/ops/add.hpp"

namespace nucdet::nn::detail {

/// total += part, of a gradient that comes from several readers: in place only where nobody else holds the memory.
/// Either may be empty.
template <class Device>
void collect(Context<Device>& context, Tensor<Device>& total, Tensor<Device> part) {
  if (!part) return;
  if (!total) {
    total = std::move(part);
    return;
  }
  if (!total.unique() && part.unique()) std::swap(total, part);
  dispatch<Device>(total.dtype(), [&]<class T>() {
    if (total.unique())
      return ops::accumulate<T>(context, std::as_const(part).template view<const T>(), total.template view<T>());
    Tensor<Device> sum = context.make(total.shape(), total.dtype());
    const View<const T> terms[] = {std::as_const(total).template view<const T>(),
                                   std::as_const(part).template view<const T>()};
    ops::add<T>(context, std::span<const View<const T>>(terms), sum.template view<T>());
    total = std::move(sum);
  });
}

}  // namespace nucdet::nn::detail
