#pragma once
#include <cstdint>
#include <string_view>

namespace nucdet {

/// Device tags: a type parameter says where tensors live and ops run.
struct Cpu {};
struct Cuda {};

/// What a CUDA context computes convolutions in. Sums, statistics, losses and master weights are f32 in all of them.
enum class Precision : std::uint8_t {
  fp32,  ///< f32 throughout, no tensor cores: the reference
  tf32,  ///< f32 maps; convolutions round their factors to 10 bits of mantissa
  bf16,  ///< bf16 maps and convolution factors
  fp16,  ///< f16 maps and convolution factors; for inference only, as small gradients would vanish
};

constexpr std::string_view name_of(Precision precision) {
  constexpr std::string_view names[] = {"fp32", "tf32", "bf16", "fp16"};
  return names[static_cast<int>(precision)];
}

}  // namespace nucdet
