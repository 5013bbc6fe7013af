#pragma once
#include "nucdet/nn/layers.hpp"

namespace nucdet::nn {

/// The choices of FRCN.
struct FrcnOptions {
  int base = 32;             ///< filters of block 1; everything scales with it
  int maps = 1;              ///< output maps; one ends in ReLU, as published, two or more are linear (logits)
  Number drop_rate = 0.33f;  ///< channel dropout in every residual block
};

namespace detail {

/// Normalisation and ELU before a 1x1 convolution: how FRCN changes the number of channels.
template <int Filters>
struct FrcnProjection : Sequential<BatchNorm, Elu, Conv<Filters, 1>> {};

/// x + 0.3 F(x) with the normalisations before the convolutions, dropout between them and nothing after the sum.
template <Number Drop>
struct FrcnResidual
    : Residual<BatchNorm, Elu, Conv<kSame, 3>, ChannelDropout<Drop>, BatchNorm, Elu, Conv<kSame, 3>, Scale<0.3f>> {};

template <int Filters, Number Drop>
struct FrcnDown : Sequential<FrcnProjection<Filters>, MaxPool<2>, FrcnResidual<Drop>> {};

/// Input 0 up-sampled to the size of input 1, from which nothing is concatenated, then a ReLU projection.
template <int Filters, Number Drop>
struct FrcnUp : Sequential<MatchTo<Upsample<2>>, BatchNorm, Relu, Conv<Filters, 1>, FrcnResidual<Drop>> {};

template <int Maps>
struct FrcnLast : Sequential<BatchNorm, Elu, Conv<Maps, 1>, Relu> {};
template <int Maps>
requires(Maps > 1) struct FrcnLast<Maps> : Sequential<BatchNorm, Elu, Conv<Maps, 1>> {
};

}  // namespace detail

/// The fully residual convolutional network of Xie et al. 2018 (Medical Image Analysis 44), the paper's closest rival
/// of MicroNet, as the same group's later code for PyTorch has it. Encoder and decoder of residual blocks; the encoder
/// is only asked for sizes. x: [N, H, W, C] -> [N, H, W, maps], any H and W from 16 on.
// [graph]
template <FrcnOptions O = FrcnOptions{}>
struct Frcn : Graph<  // block, channels, size
                  Node<"block1", Sequential<detail::FrcnProjection<O.base>, detail::FrcnResidual<O.drop_rate>>>,  // B 1
                  Node<"block2", Sequential<detail::FrcnProjection<2 * O.base>, detail::FrcnResidual<O.drop_rate>,
                                            MaxPool<2>, detail::FrcnResidual<O.drop_rate>>>,       // 2B   1/2
                  Node<"block3", detail::FrcnDown<4 * O.base, O.drop_rate>>,                       // 4B   1/4
                  Node<"block4", detail::FrcnDown<8 * O.base, O.drop_rate>>,                       // 8B   1/8
                  Node<"block5", Sequential<MaxPool<2>, detail::FrcnResidual<O.drop_rate>>>,       // 8B   1/16
                  Node<"up1", detail::FrcnUp<8 * O.base, O.drop_rate>, From<"block5", "block4">>,  // 8B 1/8
                  Node<"up2", detail::FrcnUp<4 * O.base, O.drop_rate>, From<"up1", "block3">>,     // 4B 1/4
                  Node<"up3", detail::FrcnUp<2 * O.base, O.drop_rate>, From<"up2", "block2">>,     // 2B 1/2
                  Node<"up4", detail::FrcnUp<O.base, O.drop_rate>, From<"up3", "block1">>,         // B 1
                  Node<"out", detail::FrcnLast<O.maps>>> {
  using head = HeadOfMaps<O.maps>;
};
// [graph]

}  // namespace nucdet::nn
