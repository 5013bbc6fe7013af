#pragma once
#include "nucdet/nn/layers.hpp"

namespace nucdet::nn {

/// The choices of U-Net.
struct UNetOptions {
  int base = 64;            ///< filters of the first level; doubled at each of four poolings
  int maps = 2;             ///< two: background and nucleus before the softmax (loss::CrossEntropy)
  bool norm = false;        ///< batch norm behind every 3x3 convolution
  Number drop_rate = 0.5f;  ///< channel dropout at the end of the contracting path
};

namespace detail {

template <int Filters, bool Norm>
struct UNetUnit : Sequential<Conv<Filters, 3>, Relu> {};
template <int Filters>
struct UNetUnit<Filters, true> : Sequential<Conv<Filters, 3>, BatchNorm, Relu> {};

/// Two 3x3 units.
template <int Filters, bool Norm>
struct UNetLevel : Repeat<2, UNetUnit<Filters, Norm>> {};

/// The encoder's map (input 1) beside input 0 up-sampled by a 2x2 transposed convolution, then a level.
template <int Filters, bool Norm>
struct UNetUp
    : Sequential<ConcatTo<1, TransposedConv<Filters, 2, TransposedConvOptions{.pad = 0, .output_pad = 0}>, Identity>,
                 UNetLevel<Filters, Norm>> {};

}  // namespace detail

/// U-Net (Ronneberger et al. 2015), with padding so that the output has the input's size: a classifier of pixels.
/// x: [N, H, W, C] -> [N, H, W, maps], any H and W from 16 on.
// [graph]
template <UNetOptions O = UNetOptions{}>
struct UNet : Graph<Node<"down1", detail::UNetLevel<O.base, O.norm>>,                              // 1
                    Node<"down2", Sequential<MaxPool<2>, detail::UNetLevel<2 * O.base, O.norm>>>,  // 1/2
                    Node<"down3", Sequential<MaxPool<2>, detail::UNetLevel<4 * O.base, O.norm>>>,  // 1/4
                    Node<"down4", Sequential<MaxPool<2>, detail::UNetLevel<8 * O.base, O.norm>,
                                             ChannelDropout<O.drop_rate>>>,  // 1/8
                    Node<"bottom", Sequential<MaxPool<2>, detail::UNetLevel<16 * O.base, O.norm>,
                                              ChannelDropout<O.drop_rate>>>,                   // 1/16
                    Node<"up1", detail::UNetUp<8 * O.base, O.norm>, From<"bottom", "down4">>,  // 1/8
                    Node<"up2", detail::UNetUp<4 * O.base, O.norm>, From<"up1", "down3">>,     // 1/4
                    Node<"up3", detail::UNetUp<2 * O.base, O.norm>, From<"up2", "down2">>,     // 1/2
                    Node<"up4", detail::UNetUp<O.base, O.norm>, From<"up3", "down1">>,         // 1
                    Node<"out", Conv<O.maps, 1>>> {
  using head = HeadOfMaps<O.maps>;
};
// [graph]

}  // namespace nucdet::nn
