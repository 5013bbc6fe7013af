#pragma once
#include "nucdet/nets/blocks.hpp"

namespace nucdet::nn {

/// The choices of MicroNetLite.
struct MicroNetLiteOptions {
  int base = 32;  ///< filters of the first block, at half resolution
  int maps = 1;   ///< output maps, linear
  int drop_percent = 20;
};

namespace detail {

/// Input 0 up-sampled by two through a 1x1 convolution, added to input 1 from the encoder, then a residual block.
template <int Filters, int Convs>
struct LiteUp : Sequential<AddTo<1, UpUnit<Filters, 2, BatchNorm, UpKernel::bilinear_1x1>, Identity>,
                           Residual<Repeat<Convs, ConvUnit<kSame>>>, nn::Elu> {};

}  // namespace detail

/// MicroNet's blocks at a quarter of its cost and less: the first convolution halves the resolution, sums take the
/// place of concatenations, and context maps are brought up bilinearly. A nucleus is some 30 reference pixels wide, so
/// its centre is found as well at half resolution; the last map is brought back to full size.
/// x: [N, H, W, C] -> [N, H, W, maps], any H and W from 16 on.
// [graph]
template <MicroNetLiteOptions O = MicroNetLiteOptions{}>
struct MicroNetLite
    : Graph<                                                                                   // channels, size
          Node<"in", Sequential<ConvUnit<O.base, 5, 2>, Residual<ConvUnit<kSame>>, nn::Elu>>,  // B   1/2
          Node<"down1", ResidualDown<2 * O.base, 2>>,                                          // 2B  1/4
          Node<"down2", ResidualDown<4 * O.base, 2, BatchNorm, ops::Rounding::floor,
                                     ChannelDropout<O.drop_percent>>>,  // 4B  1/8
          Node<"down3", ResidualDown<4 * O.base, 2, BatchNorm, ops::Rounding::floor,
                                     ChannelDropout<O.drop_percent>>>,                          // 4B  1/16
          Node<"up1", detail::LiteUp<4 * O.base, 2>, From<"down3", "down2">>,                   // 4B  1/8
          Node<"up2", detail::LiteUp<2 * O.base, 2>, From<"up1", "down1">>,                     // 2B  1/4
          Node<"up3", detail::LiteUp<O.base, 1>, From<"up2", "in">>,                            // B   1/2
          Node<"ctx8", UpUnit<O.base / 2, 4, BatchNorm, UpKernel::bilinear_1x1>, From<"up1">>,  // B/2 1/2
          Node<"ctx4", UpUnit<O.base / 2, 2, BatchNorm, UpKernel::bilinear_1x1>, From<"up2">>,  // B/2 1/2
          Node<"out", Sequential<ConcatOp<0>, ConvUnit<O.base / 2>, Conv<O.maps, 1>>, From<"up3", "ctx8", "ctx4">>,
          Node<"full", MatchTo<Upsample<2>>, From<"out", "input">>> {};
// [graph]

}  // namespace nucdet::nn
