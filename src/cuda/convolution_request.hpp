#pragma once
#include <cstddef>
#include <string>

#include "nucdet/core/dtype.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/epilogue.hpp"

namespace nucdet::cuda {

enum class ConvolutionPass { forward, data_gradient, weight_gradient };

/// Strides of a map, in elements; channels are contiguous.
struct MapStrides {
  Index image = 0, row = 0, pixel = 0;
  bool operator==(const MapStrides&) const = default;
};

/// Bytes: engines ask for no more.
inline constexpr Index kMostAlignment = 16;

/// Powers of two (bytes, at most 16) that divide each pointer given to run. 0: the largest that divides the strides and
/// the channel count too, which holds for slices at a multiple of it. Engines for 16 bytes are the fast ones.
struct PointerAlignments {
  Index large = 0, small = 0, weight = 0, bias = 0, residual = 0;
  bool operator==(const PointerAlignments&) const = default;
};

/// The largest power of two, at most 16, that divides the address.
Index alignment_of(const void* pointer);

/// Everything a plan depends on; equal requests share a plan.
struct ConvolutionRequest {
  ConvolutionPass pass = ConvolutionPass::forward;
  ops::Conv2dProblem problem;
  DType type = DType::f32;    ///< of the maps and weights: f32, bf16, f16
  DType result = DType::f32;  ///< of what is written: `type`, or f32
  MapStrides large, small;    ///< of the two maps
  bool bias = false;          ///< add bias[channel of the result], an f32 array; not for weight gradients
  ops::Fused first;           ///< then this activation
  bool residual = false;      ///< then add a map of the result's shape and of type `type`
  MapStrides residual_strides;
  ops::Fused last;            ///< then this activation
  bool tensor_cores = true;   ///< false: strict f32 arithmetic
  bool deterministic = true;  ///< the same bits at every run
  PointerAlignments alignment;
};

/// Settings without an effect (the parameter of a ReLU, the strides of an absent residual) do not count.
bool operator==(const ConvolutionRequest& a, const ConvolutionRequest& b);
struct RequestHash {
  std::size_t operator()(const ConvolutionRequest& request) const;
};

/// One line for errors and logs: "conv forward 1x512x512x32 to 1x256x256x64, kernel 3, stride 2, pad 1, bf16 + bias".
std::string text_of(const ConvolutionRequest& request);

/// What cuDNN must be told so that its own formula, (size + pad + pad_after - dilation (kernel - 1) - 1) / stride + 1,
/// gives the small side without a remainder: the rows and columns of the large side in use, and the zeros after them.
struct UsedExtent {
  Index h = 0, w = 0;
  Index pad_after_h = 0, pad_after_w = 0;
  bool operator==(const UsedExtent&) const = default;
};
UsedExtent used_extent(const ops::Conv2dProblem& problem);

}  // namespace nucdet::cuda
