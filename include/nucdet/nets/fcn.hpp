#pragma once
#include "nucdet/nn/layers.hpp"

namespace nucdet::nn {

/// The choices of FCN-8s. The defaults are the published network.
struct FcnOptions {
  int base = 64;            ///< filters of VGG's first block
  int hidden = 4096;        ///< filters of the two layers that were fully connected
  int maps = 2;             ///< two: background and nucleus before the softmax (loss::CrossEntropy)
  bool norm = false;        ///< batch norm behind every convolution but the scores; without, VGG's weights fit
  Number drop_rate = 0.5f;  ///< channel dropout behind the two layers that were fully connected
};

namespace detail {

template <int Filters, int Kernel, bool Norm>
struct FcnUnit : Sequential<Conv<Filters, Kernel>, Relu> {};
template <int Filters, int Kernel>
struct FcnUnit<Filters, Kernel, true> : Sequential<Conv<Filters, Kernel>, BatchNorm, Relu> {};

/// A block of VGG: 3x3 units, then pooling.
template <int Times, int Filters, bool Norm>
struct VggBlock : Sequential<Repeat<Times, FcnUnit<Filters, 3, Norm>>, MaxPool<2>> {};

/// Coarse scores (input 0), up-sampled by two, added to those of a finer map (input 1), whose size the sum has.
template <int Maps>
struct FcnFuse : AddTo<1, Upsample<2>, Conv<Maps, 1>> {};

}  // namespace detail

/// FCN-8s (Long, Shelhamer and Darrell 2015) on VGG-16: a classifier of pixels at 1/32, 1/16 and 1/8, its scores
/// up-sampled bilinearly. Padded by one instead of a hundred pixels, and the up-sampling is the bilinear one that the
/// published network starts from and keeps frozen. x: [N, H, W, C] -> [N, H, W, maps], any H and W from 32 on.
// [graph]
template <FcnOptions O = FcnOptions{}>
struct Fcn8s
    : Graph<
          Node<"pool1", detail::VggBlock<2, O.base, O.norm>>,      // B    1/2
          Node<"pool2", detail::VggBlock<2, 2 * O.base, O.norm>>,  // 2B   1/4
          Node<"pool3", detail::VggBlock<3, 4 * O.base, O.norm>>,  // 4B   1/8
          Node<"pool4", detail::VggBlock<3, 8 * O.base, O.norm>>,  // 8B   1/16
          Node<"pool5", detail::VggBlock<3, 8 * O.base, O.norm>>,  // 8B   1/32
          Node<"score", Sequential<detail::FcnUnit<O.hidden, 7, O.norm>, ChannelDropout<O.drop_rate>,
                                   detail::FcnUnit<O.hidden, 1, O.norm>, ChannelDropout<O.drop_rate>, Conv<O.maps, 1>>>,
          Node<"fuse4", detail::FcnFuse<O.maps>, From<"score", "pool4">>,  //      1/16
          Node<"fuse3", detail::FcnFuse<O.maps>, From<"fuse4", "pool3">>,  //      1/8
          Node<"out", MatchTo<Upsample<8>>, From<"fuse3", "input">>> {     //      1
  using head = HeadOfMaps<O.maps>;
};
// [graph]

}  // namespace nucdet::nn
