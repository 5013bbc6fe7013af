#pragma once
#include "nucdet/nets/blocks.hpp"

namespace nucdet::nn {

/// The choices of MicroNetLite.
struct MicroNetLiteOptions {
  int base = 32;  ///< filters of the first block, at half resolution
  int maps = 1;   ///< maps that nuclei are found in, linear
  Number drop_rate = 0.2f;
  int classes = 0;  ///< of nuclei, each with a map of scores before the softmax; 0: no such output
};

namespace detail {

/// Input 0 up-sampled by two through a 1x1 convolution, added to input 1 from the encoder, then a residual block.
template <int Filters, int Convs>
struct LiteUp : Sequential<AddTo<1, UpUnit<Filters, 2, BatchNorm, UpKernel::bilinear_1x1>, Identity>,
                           Residual<Repeat<Convs, ConvUnit<kSame>>>, nn::Elu> {};

/// All inputs side by side, a unit, and linear maps.
template <int Hidden, int Maps>
struct LiteMaps : Sequential<ConcatOp<0>, ConvUnit<Hidden>, Conv<Maps, 1>> {};

// [graph]
template <MicroNetLiteOptions O, class... ClassNodes>
using MicroNetLiteGraph = Graph<                                                          // channels, size
    Node<"in", Sequential<ConvUnit<O.base, 5, 2>, Residual<ConvUnit<kSame>>, nn::Elu>>,   // B   1/2
    Node<"down1", ResidualDown<2 * O.base, 2>>,                                           // 2B  1/4
    Node<"down2", ResidualDown<4 * O.base, 2, BatchNorm, ops::Rounding::floor,            //
                               ChannelDropout<O.drop_rate>>>,                             // 4B  1/8
    Node<"down3", ResidualDown<4 * O.base, 2, BatchNorm, ops::Rounding::floor,            //
                               ChannelDropout<O.drop_rate>>>,                             // 4B  1/16
    Node<"up1", LiteUp<4 * O.base, 2>, From<"down3", "down2">>,                           // 4B  1/8
    Node<"up2", LiteUp<2 * O.base, 2>, From<"up1", "down1">>,                             // 2B  1/4
    Node<"up3", LiteUp<O.base, 1>, From<"up2", "in">>,                                    // B   1/2
    Node<"ctx8", UpUnit<O.base / 2, 4, BatchNorm, UpKernel::bilinear_1x1>, From<"up1">>,  // B/2 1/2
    Node<"ctx4", UpUnit<O.base / 2, 2, BatchNorm, UpKernel::bilinear_1x1>, From<"up2">>,  // B/2 1/2
    Node<"out", LiteMaps<O.base / 2, O.maps>, From<"up3", "ctx8", "ctx4">>,               //
    Output<"map", MatchTo<Upsample<2>>, From<"out", "input">>,                            // maps 1
    ClassNodes...>;
// [graph]

/// With classes, their scores are made beside the nuclei's map, of context maps of their own: what a nucleus is shows
/// in its surroundings. Without them the network is the same, so that its weights may start, and stay in, this one.
template <MicroNetLiteOptions O>
constexpr auto micronet_lite() {
  if constexpr (O.classes == 0)
    return MicroNetLiteGraph<O>{};
  else
    return MicroNetLiteGraph<O, Node<"class8", UpUnit<O.base, 4, BatchNorm, UpKernel::bilinear_1x1>, From<"up1">>,
                             Node<"class4", UpUnit<O.base, 2, BatchNorm, UpKernel::bilinear_1x1>, From<"up2">>,
                             Node<"class", LiteMaps<O.base, O.classes>, From<"up3", "class8", "class4">>,
                             Output<"classes", MatchTo<Upsample<2>>, From<"class", "input">>>{};
}

template <MicroNetLiteOptions O>
struct LiteHead : Joint<HeadOfMaps<O.maps>, ClassCount<O.classes>> {};
template <MicroNetLiteOptions O>
requires(O.classes == 0) struct LiteHead<O> : HeadOfMaps<O.maps> {
};

}  // namespace detail

/// MicroNet's blocks at a quarter of its cost and less: the first convolution halves the resolution, sums take the
/// place of concatenations, and context maps are brought up bilinearly. A nucleus is some 30 reference pixels wide, so
/// its centre is found as well at half resolution; the last map is brought back to full size.
/// x: [N, H, W, C] -> [N, H, W, maps] and, with classes, [N, H, W, classes]; any H and W from 16 on.
template <MicroNetLiteOptions O = MicroNetLiteOptions{}>
struct MicroNetLite : decltype(detail::micronet_lite<O>()) {
  using head = detail::LiteHead<O>;
};

}  // namespace nucdet::nn
