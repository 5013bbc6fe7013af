#pragma once
#include "nucdet/nets/blocks.hpp"
#include "nucdet/nets/gates.hpp"

namespace nucdet::nn {

/// The choices of MicroNetMobile.
struct MicroNetMobileOptions {
  int base = 32;  ///< filters of the first block, at half resolution; a multiple of 4
  int maps = 1;
};

namespace detail {

/// What `Before` makes, plus its depthwise units weighed by channel: d + SE(F(d)) [Howard et al. 2019, Fig. 4].
template <Spec Before, int Units>
struct MobileBlock : Sequential<Before, Residual<Repeat<Units, DepthwiseUnit<kSame>>, SqueezeExcite<4>>> {};
template <int Filters>
struct MobileDown : MobileBlock<DepthwiseUnit<Filters, 3, 2>, 2> {};
/// Input 0 up-sampled by two through a 1x1 convolution, added to input 1 from the encoder.
template <int Filters, int Units>
struct MobileUp : MobileBlock<AddTo<1, PointUnit<Filters, 2>, Identity>, Units> {};

}  // namespace detail

/// MicroNet's encoder, decoder and context maps of depthwise-separable units with squeeze and excitation: a thirtieth
/// of its parameters. Reads an image in one piece. x: [N, H, W, C] -> [N, H, W, maps], any H and W from 16 on.
// [graph]
template <MicroNetMobileOptions O = MicroNetMobileOptions{}>
struct MicroNetMobile
    : Graph<Node<"in", detail::MobileBlock<Sequential<Conv<O.base, 3, ConvOptions{.stride = 2}>, BatchNorm, Silu>, 1>>,
            Node<"down1", detail::MobileDown<2 * O.base>>,                         // 2B  1/4
            Node<"down2", detail::MobileDown<4 * O.base>>,                         // 4B  1/8
            Node<"down3", detail::MobileDown<8 * O.base>>,                         // 8B  1/16
            Node<"up1", detail::MobileUp<4 * O.base, 2>, From<"down3", "down2">>,  // 4B  1/8
            Node<"up2", detail::MobileUp<2 * O.base, 2>, From<"up1", "down1">>,    // 2B  1/4
            Node<"up3", detail::MobileUp<O.base, 1>, From<"up2", "in">>,           // B   1/2
            Node<"ctx8", PointUnit<O.base / 2, 4>, From<"up1">>,                   // B/2 1/2
            Node<"ctx4", PointUnit<O.base / 2, 2>, From<"up2">>,                   // B/2 1/2
            Node<"out", Sequential<ConcatOp<0>, DepthwiseUnit<O.base>, Conv<O.maps, 1>>, From<"up3", "ctx8", "ctx4">>,
            Node<"full", MatchTo<Upsample<2>>, From<"out", "input">>> {
  using head = HeadOfMaps<O.maps>;
};
// [graph]

}  // namespace nucdet::nn
