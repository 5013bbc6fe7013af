#pragma once
#include "nucdet/nn/layers.hpp"

/// The blocks of Xing et al. 2019, for MicroNet and for networks of one's own, and depthwise units in their place.
namespace nucdet::nn {

/// Convolution, normalisation, ELU: the unit of every block.
template <ChannelCount Filters, int Kernel = 3, int Stride = 1, Spec Norm = BatchNorm,
          ops::Rounding Round = ops::Rounding::floor>
struct ConvUnit : Sequential<Conv<Filters, Kernel, ConvOptions{.stride = Stride, .rounding = Round}>, Norm, Elu> {};

/// A filter for each channel, then a 1x1 convolution, each with normalisation and SiLU: a depthwise-separable unit
/// [Howard et al. 2017]. ConvUnit's outputs for about a Kernel^2-th of its cost.
template <ChannelCount Filters, int Kernel = 3, int Stride = 1, Spec Norm = BatchNorm>
struct DepthwiseUnit
    : Sequential<DepthwiseConv<Kernel, ConvOptions{.stride = Stride}>, Norm, Silu, Conv<Filters, 1>, Norm, Silu> {};
/// A 1x1 convolution at low resolution, normalisation, SiLU, then up-sampled bilinearly.
template <ChannelCount Filters, int Factor, Spec Norm = BatchNorm>
struct PointUnit : Sequential<Conv<Filters, 1>, Norm, Silu, Upsample<Factor>> {};

/// How a low-resolution map is brought up by a factor s.
enum class UpKernel {
  sparse3,      ///< transposed 3x3: for s > 2 most output pixels see only the bias (the authors' context branches)
  two_s,        ///< transposed 2s x 2s: every output pixel sees four inputs, size s n
  bilinear_1x1  ///< 1x1 convolution at low resolution, then bilinear: cheapest, no grid pattern
};

namespace detail {
template <int Filters, int Factor, Spec Norm, UpKernel How>
constexpr auto up_unit() {
  [[maybe_unused]] constexpr TransposedConvOptions kWhole{.stride = Factor, .pad = Factor / 2, .output_pad = 0};
  if constexpr (How == UpKernel::sparse3)
    return Sequential<TransposedConv<Filters, 3, TransposedConvOptions{.stride = Factor}>, Norm, nn::Elu>{};
  else if constexpr (How == UpKernel::two_s)
    return Sequential<TransposedConv<Filters, 2 * Factor, kWhole>, Norm, nn::Elu>{};
  else
    return Sequential<Conv<Filters, 1>, Norm, nn::Elu, Upsample<Factor>>{};
}
}  // namespace detail

/// Up-sampling by `Factor` with a learned kernel, normalisation, ELU.
template <int Filters, int Factor, Spec Norm = BatchNorm, UpKernel How = UpKernel::sparse3>
struct UpUnit : decltype(detail::up_unit<Filters, Factor, Norm, How>()) {};

/// Blocks 2 to 5: d = strided unit, y = ELU(F(d) + d). `Before` and `After` stand around the convolutions of F
/// (dropout).
template <int Filters, int Convs, Spec Norm = BatchNorm, ops::Rounding Round = ops::Rounding::floor,
          Spec Before = Identity, Spec After = Identity>
struct ResidualDown : Sequential<ConvUnit<Filters, 3, 2, Norm, Round>,
                                 Residual<Before, Repeat<Convs, ConvUnit<Filters, 3, 1, Norm>>, After>, Elu> {};

/// Blocks 6 to 9: c = [up-sampled input 0, input 1 from the encoder], y = ELU(F(c) + c). The up-sampled map is
/// zero-padded to the encoder's size. `Deep` and `Skip` stand before the two (dropout).
template <int Filters, int Convs, Spec Norm = BatchNorm, Spec Deep = Identity, Spec Skip = Identity>
struct ResidualUp : Sequential<ConcatTo<1, Sequential<Deep, UpUnit<Filters, 2, Norm>>, Skip>,
                               Residual<Repeat<Convs, ConvUnit<kSame, 3, 1, Norm>>>, Elu> {};

/// Block 10: all inputs side by side at the size of input 0, a 5x5 unit, and a linear 1x1 convolution.
template <int Hidden, int Maps, Spec Norm = BatchNorm>
struct OutputTransition : Sequential<ConcatOp<0>, ConvUnit<Hidden, 5, 1, Norm>, Conv<Maps, 1>> {};

}  // namespace nucdet::nn
