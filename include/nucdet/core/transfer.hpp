#pragma once
#include "nucdet/core/context.hpp"

namespace nucdet {

/// A dense copy, on the device, of a view of the host's memory.
template <class Device>
Tensor<Device> to_device(Context<Device>& context, View<const float> from) {
  const Shape& s = from.shape;
  Tensor<Device> tensor = context.make(s);
  if (s.count() == 0) return tensor;
  float* to = tensor.template view<float>().data;
  const auto copy = [&](const float* run, Index count) {
    context.upload(to, run, static_cast<std::size_t>(count) * sizeof(float));
    to += count;
  };
  if (from.dense()) {
    copy(from.data, s.count());
    return tensor;
  }
  for (Index n = 0; n < s.n; ++n)
    for (Index y = 0; y < s.h; ++y) {
      if (from.pixel_stride == s.c) {
        copy(from.pixel(n, y, 0), s.w * s.c);
        continue;
      }
      for (Index x = 0; x < s.w; ++x) copy(from.pixel(n, y, x), s.c);
    }
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
