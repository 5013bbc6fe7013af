#pragma once
#include <vector>

#include "nucdet/core/context.hpp"

namespace nucdet {

/// A dense copy, on the device, of a view of the host's memory.
template <class Device>
Tensor<Device> to_device(Context<Device>& context, View<const float> from) {
  const Shape& s = from.shape;
  Tensor<Device> tensor = context.make(s);
  const std::size_t bytes = static_cast<std::size_t>(s.count()) * sizeof(float);
  if (from.dense()) {
    context.upload(tensor.memory(), from.data, bytes);
    return tensor;
  }
  // One copy of it all: each costs a device some microseconds, and a window has a thousand rows.
  std::vector<float> packed;
  packed.reserve(static_cast<std::size_t>(s.count()));
  for (Index n = 0; n < s.n; ++n)
    for (Index y = 0; y < s.h; ++y)
      for (Index x = 0, run = from.pixel_stride == s.c ? s.w : 1; x < s.w; x += run)
        packed.insert(packed.end(), from.pixel(n, y, x), from.pixel(n, y, x) + run * s.c);
  context.upload(tensor.memory(), packed.data(), bytes);
  return tensor;
}

/// A copy, in the host's memory, of a dense tensor of any element type. Waits for what makes it.
template <class Device>
Tensor<Cpu> to_host(Context<Device>& context, const Tensor<Device>& from) {
  if (!from.dense())
    throw ShapeError(message("to_host: the tensor of ", from.shape(), " is a slice, wanted a dense one"));
  Tensor<Cpu> to = context.host().make(from.shape(), from.dtype());
  context.download(to.memory(), from.memory(), static_cast<std::size_t>(from.shape().count()) * size_of(from.dtype()));
  return to;
}

}  // namespace nucdet
