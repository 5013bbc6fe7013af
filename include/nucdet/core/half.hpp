#pragma once
#include <cstdint>

#include "nucdet/core/config.hpp"
#include "nucdet/core/math.hpp"
#if defined(__CUDA_ARCH__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

/// The two 16-bit element types, for storage alone: kernels widen to float, compute, and round once to nearest even.
namespace nucdet {

/// The upper half of a float: 8 bits of exponent, 7 of mantissa.
struct bf16 {
  std::uint16_t bits = 0;

  bf16() = default;
  NUCDET_HD explicit bf16(float value) {
#if defined(__CUDA_ARCH__)
    bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
#else
    const std::uint32_t all = math::to_bits(value);
    const std::uint32_t rounded = all + 0x7FFFu + ((all >> 16) & 1u);
    bits = static_cast<std::uint16_t>((all & 0x7FFFFFFFu) > 0x7F800000u ? (all >> 16) | 0x40u : rounded >> 16);
#endif
  }
  NUCDET_HD explicit operator float() const { return math::from_bits(static_cast<std::uint32_t>(bits) << 16); }
};

/// IEEE 754 binary16: 5 bits of exponent, 10 of mantissa; largest value 65504.
struct f16 {
  std::uint16_t bits = 0;

  f16() = default;
  NUCDET_HD explicit f16(float value) {
#if defined(__CUDA_ARCH__)
    bits = __half_as_ushort(__float2half_rn(value));
#else
    bits = rounded(math::to_bits(value));
#endif
  }
  NUCDET_HD explicit operator float() const {
#if defined(__CUDA_ARCH__)
    return __half2float(__ushort_as_half(bits));
#else
    // A float whose exponent field is the half's has it 112 too low: a product corrects normal and subnormal alike.
    const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7FFFu) << 13,
                        sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    if (magnitude >= 0x0F800000u) return math::from_bits(magnitude | 0x7F800000u | sign);
    return math::from_bits(math::to_bits(math::from_bits(magnitude) * 0x1p112f) | sign);
#endif
  }

 private:
  static std::uint16_t rounded(std::uint32_t all) {
    const std::uint32_t sign = (all >> 16) & 0x8000u, magnitude = all & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u);
    if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);  // 65520 and more
    if (magnitude < 0x38800000u) {  // subnormal: adding 1/2 makes the float unit round at the half's last bit
      const float shifted = math::from_bits(magnitude) + 0.5f;
      return static_cast<std::uint16_t>(sign | (math::to_bits(shifted) - math::to_bits(0.5f)));
    }
    const std::uint32_t even = magnitude + 0x0FFFu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | ((even - 0x38000000u) >> 13));
  }
};

namespace detail {
// A member of a struct, not std::conditional: compilers disagree on how to spell an expression in a symbol's name.
template <class T>
struct Compute {
  using type = float;
};
template <>
struct Compute<double> {
  using type = double;
};
}  // namespace detail

/// The type that a kernel on elements of type T computes in, and that statistics, parameters and their gradients have.
template <class T>
using compute_t = typename detail::Compute<T>::type;

}  // namespace nucdet
