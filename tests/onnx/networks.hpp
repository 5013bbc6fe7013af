#pragma once
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/nets.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/testing/gradcheck.hpp"

/// What is exported by the tests of nucdet::onnx: every built-in network, small, and every layer in its awkward forms.
namespace nucdet_test {

using namespace nucdet;

/// Statistics that say something, as drawn they would be 0 and 1: means of -0.3 to 0.3, variances of 0.5 to 1.5.
inline void shake_statistics(nn::Model<Cpu>& model, std::uint64_t stream) {
  nn::ParameterStore<Cpu>& store = *model.parameters();
  RandomStream random{77, stream};
  for (std::size_t k = 0; k < store.entries().size(); ++k) {
    const nn::ParameterEntry& entry = store.entries()[k];
    if (!entry.statistic) continue;
    const bool mean = entry.name.ends_with("mean");
    for (Index i = 0; i < entry.count; ++i)
      store.value<float>(k)[i] = static_cast<float>(mean ? random.uniform(-0.3, 0.3) : random.uniform(0.5, 1.5));
  }
}

/// Calls body(name, model) for a network with drawn weights.
template <class S, class Body>
void with_network(Context<Cpu>& context, const std::string& name, const Body& body) {
  nn::Network<S, 3, Cpu> net(context);
  shake_statistics(net, std::hash<std::string>{}(name));
  body(name, static_cast<const nn::Model<Cpu>&>(net));
}

template <class Body>
void each_network(Context<Cpu>& context, const Body& body) {
  using namespace nn;
  with_network<MicroNet<MicroNetOptions{.base = 8}>>(context, "micronet", body);
  with_network<MicroNet<MicroNetOptions{.base = 8, .context = UpKernel::two_s}>>(context, "micronet-two-s", body);
  with_network<MicroNet<MicroNetOptions{.base = 8, .context = UpKernel::bilinear_1x1}>>(context, "micronet-bilinear",
                                                                                        body);
  with_network<MicroNet<MicroNetOptions{.base = 8, .statistics = Statistics::batch}>>(context, "micronet-batch-stats",
                                                                                      body);
  with_network<MicroNet<MicroNetOptions{.base = 8, .statistics = Statistics::instance}>>(context, "micronet-instance",
                                                                                         body);
  constexpr MicroNetOptions literal = [] {
    MicroNetOptions options = MicroNetOptions::paper_literal();
    options.base = 8;
    return options;
  }();
  with_network<MicroNet<literal>>(context, "micronet-paper", body);
  with_network<MicroNetLite<MicroNetLiteOptions{.base = 16}>>(context, "micronet-lite", body);
  with_network<MicroNetLite<MicroNetLiteOptions{.base = 16, .classes = 4}>>(context, "micronet-lite-classes", body);
  with_network<MicroNetMobile<MicroNetMobileOptions{.base = 16}>>(context, "micronet-mobile", body);
  with_network<Frcn<FrcnOptions{.base = 8}>>(context, "frcn", body);
  with_network<FcrnA<FcrnOptions{.base = 8}>>(context, "fcrn-a", body);
  with_network<FcrnB<FcrnOptions{.base = 8}>>(context, "fcrn-b", body);
  with_network<FcrnB<FcrnOptions{.base = 8, .variant = FcrnBReading::b}>>(context, "fcrn-b-alt", body);
  with_network<UNet<UNetOptions{.base = 8}>>(context, "unet", body);
  with_network<UNet<UNetOptions{.base = 8, .maps = 1, .norm = true}>>(context, "unet-norm", body);
  with_network<AttentionUNet<AttentionUNetOptions{.base = 8}>>(context, "attention-unet", body);
  with_network<Fcn8s<FcnOptions{.base = 8, .hidden = 128}>>(context, "fcn8s", body);
  with_network<Fcn8s<FcnOptions{.base = 8, .hidden = 128, .norm = true}>>(context, "fcn8s-norm", body);
}

template <class Body>
void each_layer(Context<Cpu>& context, const Body& body) {
  using namespace nn;
  using ops::Axes, ops::Rounding;
  with_network<Sequential<Conv<4, 1, ConvOptions{.stride = 2}>, Relu>>(context, "rows-cut-off", body);
  with_network<Conv<4, 3, ConvOptions{.stride = 4}>>(context, "stride-4", body);
  with_network<Conv<4, 5, ConvOptions{.stride = 2, .rounding = Rounding::ceil}>>(context, "stride-ceil", body);
  with_network<Conv<4, Axes(3, 5), ConvOptions{.stride = Axes(2, 3), .dilation = Axes(2, 1)}>>(context, "unequal-axes",
                                                                                               body);
  with_network<Conv<6, 2, ConvOptions{.pad = 1, .groups = 3}>>(context, "groups", body);
  with_network<Sequential<DepthwiseConv<3>, BatchNorm, Silu>>(context, "depthwise", body);
  with_network<Sequential<TransposedConv<4, 3, TransposedConvOptions{.stride = 4}>, BatchNorm, Elu>>(
      context, "transposed", body);
  with_network<TransposedConv<
      4, Axes(4, 3), TransposedConvOptions{.stride = Axes(2, 3), .pad = Axes(1, 0), .output_pad = Axes(0, 2)}>>(
      context, "transposed-unequal", body);
  with_network<Sequential<Gelu, LeakyRelu<0.2f>, ScaledSigmoid<5.0f>, Scale<0.3f>, Sigmoid>>(context, "activations",
                                                                                             body);
  with_network<Sequential<Conv<8, 3>, Gelu>>(context, "gelu-in-convolution", body);
  with_network<Sequential<Conv<6, 3>, GroupNorm<3>, LayerNorm<>, BatchStats, InstanceNorm, BatchNorm>>(context, "norms",
                                                                                                       body);
  with_network<Sequential<Conv<6, 3>, MaxPool<2>, BatchNorm, BatchNorm>>(context, "norm-alone", body);
  with_network<Sequential<MaxPool<Axes(3, 2), PoolOptions{.stride = 2}>, AveragePool<2>>>(context, "pools", body);
  with_network<Sequential<Upsample<2, Interpolation::nearest>, Upsample<3>>>(context, "upsample", body);
  with_network<Sequential<Conv<12, 3>, PixelShuffle<2>>>(context, "pixel-shuffle", body);
  with_network<Multiply<Identity, GlobalMaxPool>>(context, "global-pool", body);
  // A map that is larger than what it is joined with, and one that is smaller, by odd differences.
  with_network<ConcatTo<1, Upsample<3>, Identity, MaxPool<2>>>(context, "concat", body);
  with_network<AddTo<2, Upsample<3>, MaxPool<5>, Identity>>(context, "add", body);
  with_network<Sequential<Conv<3, 3>, Dropout<0.5f>, Residual<ChannelDropout<0.2f>, Conv<kSame, 3>>, Elu>>(
      context, "dropout", body);
}

}  // namespace nucdet_test
