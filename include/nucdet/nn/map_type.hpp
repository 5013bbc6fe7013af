#pragma once
#include <type_traits>
#include <utility>

#include "nucdet/core/context.hpp"
#include "nucdet/ops/convert.hpp"

/// The element types that networks run in.
namespace nucdet::nn {

/// Calls `body.operator()<T>()` with the element type: float or double on the CPU, float, bf16 or f16 on a GPU.
template <class Device = Cpu, class Body>
decltype(auto) dispatch(DType type, Body&& body) {
  if constexpr (std::is_same_v<Device, Cpu>) {
    if (type == DType::f64) return body.template operator()<double>();
    if (type != DType::f32) throw ShapeError(message("the CPU computes in f32 and f64, got ", name_of(type)));
  } else {
    if (type == DType::bf16) return body.template operator()<bf16>();
    if (type == DType::f16) return body.template operator()<f16>();
    if (type != DType::f32) throw ShapeError(message("CUDA computes in f32, bf16 and f16, got ", name_of(type)));
  }
  return body.template operator()<float>();
}

/// The type of a network's maps where its input has type `input`: that of the input on the CPU, the context's on a GPU.
inline DType map_type(const Context<Cpu>&, DType input) { return input; }
template <class Device>
DType map_type(const Context<Device>& context, DType) {
  if (context.precision() == Precision::bf16) return DType::bf16;
  return context.precision() == Precision::fp16 ? DType::f16 : DType::f32;
}
/// The type of the statistics and parameters beside maps of type `maps`.
constexpr DType parameter_type(DType maps) { return maps == DType::f64 ? DType::f64 : DType::f32; }

/// The tensor in another element type; itself if it has that type.
template <class Device>
Tensor<Device> converted(Context<Device>& context, const Tensor<Device>& x, DType type) {
  if (x.dtype() == type) return x;
  Tensor<Device> y = context.make(x.shape(), type);
  if constexpr (!std::is_same_v<Device, Cpu>)  // where the two differ, one is f32 and the other a half
    dispatch<Device>(x.dtype() == DType::f32 ? type : x.dtype(), [&]<class Half>() {
      if constexpr (!std::is_same_v<Half, float>) {
        if (x.dtype() == DType::f32)
          ops::convert<float, Half>(context, x.template view<const float>(), y.template view<Half>());
        else
          ops::convert<Half, float>(context, x.template view<const Half>(), y.template view<float>());
      }
    });
  return y;
}

}  // namespace nucdet::nn
