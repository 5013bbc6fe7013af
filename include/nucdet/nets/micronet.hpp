#pragma once
#include "nucdet/nets/blocks.hpp"

namespace nucdet::nn {

/// Which blocks feed the multi-context aggregation.
enum class ContextTaps {
  decoder,  ///< the outputs of blocks 6 (1/8) and 7 (1/4), as in the first author's later releases
  encoder,  ///< the down-sampled outputs of blocks 5 (1/16), 4 (1/8) and 3 (1/4), as the paper's words have it
};

/// Where channel dropout stands.
enum class DropoutPlan {
  before_convs,  ///< before the convolutions of blocks 4 and 5 (the authors' code)
  after_convs,   ///< after them (the paper's words)
  everywhere,    ///< before_convs, on every skip connection, and on the deep inputs of blocks 6 and 7 (KiNet)
};

enum class OutputActivation {
  linear,          ///< for labels scaled by 5: what the authors' code does
  relu,            ///< never negative
  scaled_sigmoid,  ///< bounded to [0, 5]
};

/// The choices of MicroNet. The defaults are the first author's later release of it; docs/architecture.md says where
/// that departs from the paper's words.
struct MicroNetOptions {
  int base = 32;  ///< filters of block 1; everything scales with it
  int maps = 1;   ///< output maps
  ContextTaps taps = ContextTaps::decoder;
  UpKernel context = UpKernel::sparse3;
  Statistics statistics = Statistics::running;
  ops::Rounding rounding = ops::Rounding::floor;
  DropoutPlan dropout = DropoutPlan::before_convs;
  Number drop_rate = 0.5f;
  OutputActivation output = OutputActivation::linear;

  /// The paper's words where they differ from the authors' code.
  static constexpr MicroNetOptions paper_literal() {
    MicroNetOptions options;
    options.taps = ContextTaps::encoder;
    options.dropout = DropoutPlan::after_convs;
    return options;
  }
};

namespace detail {

template <OutputActivation O>
constexpr auto output_activation() {
  if constexpr (O == OutputActivation::relu)
    return Relu{};
  else if constexpr (O == OutputActivation::scaled_sigmoid)
    return ScaledSigmoid<5.0f>{};
  else
    return Identity{};
}

/// Blocks as the options make them, and the graph around a list of context nodes.
template <MicroNetOptions O>
struct MicroNetParts {
  using Norm = Normalization<O.statistics>;
  static constexpr bool kEverywhere = O.dropout == DropoutPlan::everywhere;
  using Drop = ChannelDropout<O.drop_rate>;
  using Skip = ChannelDropout<kEverywhere ? O.drop_rate : Number(0)>;
  using Before = ChannelDropout<O.dropout == DropoutPlan::after_convs ? Number(0) : O.drop_rate>;
  using After = ChannelDropout<O.dropout == DropoutPlan::after_convs ? O.drop_rate : Number(0)>;

  template <int Filters, int Convs, Spec First = Identity, Spec Last = Identity>
  using Down = ResidualDown<Filters, Convs, Norm, O.rounding, First, Last>;
  template <int Filters, int Convs, Spec Deep = Identity>
  using Up = ResidualUp<Filters, Convs, Norm, Deep, Skip>;
  template <int Factor>
  using Context = UpUnit<2 * O.base, Factor, Norm, O.context>;
  using Out = Sequential<OutputTransition<O.base, O.maps, Norm>, decltype(output_activation<O.output>())>;
};

// [graph]
template <MicroNetOptions O, class P, class... Contexts>
using MicroNetGraph = Graph<                                  // block, channels, size
    Node<"in", ConvUnit<O.base, 3, 1, typename P::Norm>>,     //  1   B      1
    Node<"down1", typename P::template Down<2 * O.base, 1>>,  //  2   2B     1/2
    Node<"down2", typename P::template Down<4 * O.base, 2>>,  //  3   4B     1/4
    Node<"down3", typename P::template Down<8 * O.base, 2, typename P::Before, typename P::After>>,  //  4   8B     1/8
    Node<"down4", typename P::template Down<8 * O.base, 2, typename P::Before, typename P::After>>,  //  5   8B     1/16
    Node<"up1", typename P::template Up<8 * O.base, 2, typename P::Skip>, From<"down4", "down3">>,   //  6   16B    1/8
    Node<"up2", typename P::template Up<4 * O.base, 2, typename P::Skip>, From<"up1", "down2">>,     //  7   8B     1/4
    Node<"up3", typename P::template Up<2 * O.base, 1>, From<"up2", "down1">>,                       //  8   4B     1/2
    Node<"up4", typename P::template Up<O.base, 1>, From<"up3", "in">>,                              //  9   2B     1
    Contexts...,                                                    //      2B     1, each
    Node<"out", typename P::Out, From<"up4", Contexts::text...>>>;  // 10   maps   1
// [graph]

template <MicroNetOptions O>
constexpr auto micronet() {
  using P = MicroNetParts<O>;
  if constexpr (O.taps == ContextTaps::decoder)
    return MicroNetGraph<O, P, Node<"ctx8", typename P::template Context<8>, From<"up1">>,
                         Node<"ctx4", typename P::template Context<4>, From<"up2">>>{};
  else
    return MicroNetGraph<O, P, Node<"ctx16", typename P::template Context<16>, From<"down4">>,
                         Node<"ctx8", typename P::template Context<8>, From<"down3">>,
                         Node<"ctx4", typename P::template Context<4>, From<"down2">>>{};
}

}  // namespace detail

/// MicroNet (Xing et al. 2019, Fig. 2): ten blocks in a down path, an up path with concatenation, and a multi-context
/// aggregation. x: [N, H, W, C] -> [N, H, W, maps], any H and W from 16 on.
template <MicroNetOptions O = MicroNetOptions{}>
struct MicroNet : decltype(detail::micronet<O>()) {
  using head = HeadOfMaps<O.maps>;
};

}  // namespace nucdet::nn
