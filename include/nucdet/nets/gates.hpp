#pragma once
#include <array>

#include "nucdet/nn/layers.hpp"

/// Blocks that weigh a map by what they see in it.
namespace nucdet::nn {

/// x times a weight for each channel, made of the means over the whole map [Hu et al. 2018, Fig. 2]: a network with it
/// reads an image in one piece. The channels must be a multiple of Reduction.
template <int Reduction = 16>
struct SqueezeExcite
    : Multiply<Identity,
               Sequential<GlobalAveragePool, Conv<kSame / Reduction, 1>, Relu, Conv<kSame * Reduction, 1>, Sigmoid>> {};

/// Input 0, x, times a weight alpha for each pixel, made of it and of input 1, the gating map g at half its resolution
/// [Oktay et al. 2018, Eq. 1 and 2]: alpha = sigmoid(psi(relu(W_x x + W_g g))) on g's grid, with W_x 2x2 at stride 2,
/// brought up bilinearly. Hidden: channels of the sum.
template <int Hidden>
struct AttentionGate {
  using OfMap = Conv<Hidden, 2, ConvOptions{.stride = 2, .pad = 0, .bias = Bias::without}>;
  using OfSum = Sequential<Relu, Conv<1, 1>, Sigmoid, Upsample<2>>;

  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    if (in.size() != 2) return b.fail(Problem::wrong_number_of_inputs, 2, static_cast<int>(in.size()));
    const std::array<Slot, 2> sum{AddTo<1, OfMap, Conv<Hidden, 1>>::build(b, in), in[0]};
    const std::array<Slot, 2> product{in[0], MatchTo<OfSum>::build(b, sum)};
    return b.template add<MultiplyOp>(product);
  }
};

}  // namespace nucdet::nn
