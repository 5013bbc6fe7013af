#pragma once
#include "nucdet/nn/layers.hpp"

namespace nucdet::nn {

/// Which reading of FCRN-B: public code has two, and neither is the authors'.
enum class FcrnBReading {
  a,  ///< four ports, and the published 3.6 million parameters: the last map comes from a 5x5 convolution
  b   ///< two ports: the second 5x5 convolution stands before the second pooling, the last map comes from a 1x1
};

/// The choices of both networks.
struct FcrnOptions {
  int base = 32;  ///< filters of the first convolution; everything scales with it
  int maps = 1;   ///< output maps, linear
  FcrnBReading variant = FcrnBReading::a;
};

namespace detail {

/// Convolution without bias, batch norm, ReLU.
template <int Filters, int Kernel = 3>
struct FcrnUnit : Sequential<Conv<Filters, Kernel, ConvOptions{.bias = Bias::without}>, BatchNorm, Relu> {};
/// Input 0 up-sampled by two to the size of input 1, then a unit.
template <int Filters, int Kernel = 3>
struct FcrnUp : Sequential<MatchTo<Upsample<2>>, FcrnUnit<Filters, Kernel>> {};
/// A density of dots, or scores of pixels.
template <int Maps>
struct FcrnHead : HeadOfMaps<Maps> {};
template <>
struct FcrnHead<1> : Density {};
template <int Filters, int Kernel>
using FcrnLast = Conv<Filters, Kernel, ConvOptions{.bias = Bias::without}>;

// [b]
template <FcrnOptions O>
constexpr auto fcrn_b() {
  constexpr int B = O.base;
  if constexpr (O.variant == FcrnBReading::a)
    return Graph<Node<"conv1", Sequential<FcrnUnit<B>, FcrnUnit<2 * B>>>,                  // 2B  1
                 Node<"conv2", Sequential<MaxPool<2>, FcrnUnit<4 * B>, FcrnUnit<8 * B>>>,  // 8B  1/2
                 Node<"conv3", Sequential<MaxPool<2>, FcrnUnit<8 * B, 5>>>,                // 8B  1/4
                 Node<"up1", FcrnUp<8 * B, 5>, From<"conv3", "conv2">>,                    // 8B  1/2
                 Node<"out", Sequential<MatchTo<Upsample<2>>, FcrnLast<O.maps, 5>>, From<"up1", "conv1">>>{};
  else
    return Graph<Node<"conv1", Sequential<FcrnUnit<B>, FcrnUnit<2 * B>>>,                     // 2B  1
                 Node<"conv2", Sequential<MaxPool<2>, FcrnUnit<4 * B>, FcrnUnit<8 * B, 5>>>,  // 8B  1/2
                 Node<"conv3", Sequential<MaxPool<2>, FcrnUnit<8 * B>>>,                      // 8B  1/4
                 Node<"up1", FcrnUp<8 * B, 5>, From<"conv3", "conv2">>,                       // 8B  1/2
                 Node<"out", Sequential<MatchTo<Upsample<2>>, FcrnLast<O.maps, 1>>, From<"up1", "conv1">>>{};
}
// [b]

}  // namespace detail

/// FCRN-A (Xie, Noble and Zisserman 2018): regresses a density of dots through three poolings and back. With batch norm
/// and without biases, as in the first author's later code. x: [N, H, W, C] -> [N, H, W, maps], any H and W from 8 on.
// [a]
template <FcrnOptions O = FcrnOptions{}>
struct FcrnA : Graph<Node<"conv1", detail::FcrnUnit<O.base>>,                               // B    1
                     Node<"conv2", Sequential<MaxPool<2>, detail::FcrnUnit<2 * O.base>>>,   // 2B   1/2
                     Node<"conv3", Sequential<MaxPool<2>, detail::FcrnUnit<4 * O.base>>>,   // 4B   1/4
                     Node<"conv4", Sequential<MaxPool<2>, detail::FcrnUnit<16 * O.base>>>,  // 16B  1/8
                     Node<"up1", detail::FcrnUp<4 * O.base>, From<"conv4", "conv3">>,       // 4B   1/4
                     Node<"up2", detail::FcrnUp<2 * O.base>, From<"up1", "conv2">>,         // 2B   1/2
                     Node<"up3", detail::FcrnUp<O.base>, From<"up2", "conv1">>,             // B    1
                     Node<"out", detail::FcrnLast<O.maps, 1>>> {
  using head = detail::FcrnHead<O.maps>;
};
// [a]

/// FCRN-B of the same paper: two poolings only, and 5x5 convolutions behind the second. Any H and W from 4 on.
template <FcrnOptions O = FcrnOptions{}>
struct FcrnB : decltype(detail::fcrn_b<O>()) {
  using head = detail::FcrnHead<O.maps>;
};

}  // namespace nucdet::nn
