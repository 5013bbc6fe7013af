#pragma once
#include "nucdet/nets/gates.hpp"
#include "nucdet/nets/unet.hpp"

namespace nucdet::nn {

/// The choices of the attention U-Net.
struct AttentionUNetOptions {
  int base = 32;            ///< filters of the first level; doubled at each of four poolings
  int maps = 1;             ///< one: regressed; more: before the softmax
  Number drop_rate = 0.2f;  ///< channel dropout at the end of the contracting path
};

/// The attention U-Net (Oktay et al. 2018) on 2D maps, with batch norm: what the encoder hands over is weighed by what
/// the decoder has found below, but for the finest maps, which show too little to be weighed.
/// x: [N, H, W, C] -> [N, H, W, maps], any H and W from 16 on.
// [graph]
template <AttentionUNetOptions O = AttentionUNetOptions{}>
struct AttentionUNet
    : Graph<Node<"down1", detail::UNetLevel<O.base, true>>,                              // 1
            Node<"down2", Sequential<MaxPool<2>, detail::UNetLevel<2 * O.base, true>>>,  // 1/2
            Node<"down3", Sequential<MaxPool<2>, detail::UNetLevel<4 * O.base, true>>>,  // 1/4
            Node<"down4", Sequential<MaxPool<2>, detail::UNetLevel<8 * O.base, true>, ChannelDropout<O.drop_rate>>>,
            Node<"bottom", Sequential<MaxPool<2>, detail::UNetLevel<16 * O.base, true>, ChannelDropout<O.drop_rate>>>,
            Node<"gate4", AttentionGate<8 * O.base>, From<"down4", "bottom">>,
            Node<"up1", detail::UNetUp<8 * O.base, true>, From<"bottom", "gate4">>,  // 1/8
            Node<"gate3", AttentionGate<4 * O.base>, From<"down3", "up1">>,
            Node<"up2", detail::UNetUp<4 * O.base, true>, From<"up1", "gate3">>,  // 1/4
            Node<"gate2", AttentionGate<2 * O.base>, From<"down2", "up2">>,
            Node<"up3", detail::UNetUp<2 * O.base, true>, From<"up2", "gate2">>,  // 1/2
            Node<"up4", detail::UNetUp<O.base, true>, From<"up3", "down1">>,      // 1
            Node<"out", Conv<O.maps, 1>>> {
  using head = HeadOfMaps<O.maps>;
};
// [graph]

}  // namespace nucdet::nn
