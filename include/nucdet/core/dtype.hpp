#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nucdet/core/half.hpp"

namespace nucdet {

/// Element types that a Tensor can hold. The CPU computes in f32 and f64, CUDA in f32, bf16 and f16.
enum class DType : std::uint8_t { f32, f64, bf16, f16 };

constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::f64:
      return 8;
    case DType::f32:
      return 4;
    default:
      return 2;
  }
}

constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::f64:
      return "f64";
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    default:
      return "f16";
  }
}

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<bf16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct DTypeOf<f16> {
  static constexpr DType value = DType::f16;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

}  // namespace nucdet
