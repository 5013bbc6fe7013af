#pragma once
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/nn/fused_conv.hpp"
#include "nucdet/ops/match_size.hpp"

namespace nucdet::nn {

/// A concatenation and the convolution that alone reads it, on the CPU: the maps are convolved where they are, and the
/// memory that would hold them side by side, the most of a U-shaped network's, is spared. To the bit what the two give.
/// Inputs: the concatenation's and, with a residual, the residual. Inference only.
class JoinedConvLayer final : public Layer<Cpu> {
 public:
  static constexpr std::size_t kMostInputs = 8;

  /// channels: of the concatenation's inputs, at most kMostInputs.
  JoinedConvLayer(std::shared_ptr<const Layer<Cpu>> concatenation, std::vector<Index> channels,
                  std::shared_ptr<const FusedConvLayer<Cpu>> conv)
      : concatenation_(std::move(concatenation)), channels_(std::move(channels)), conv_(std::move(conv)) {}

  /// Whether a context's kernels can convolve maps of these channels without putting them together.
  static bool can_join(const Context<Cpu>& context, const ConvolutionView<Cpu>& conv, std::span<const Index> channels);

  Shape output_shape(std::span<const Shape> in) const override;
  void forward(Context<Cpu>& context, Inputs<Cpu> x, Tensor<Cpu>& y, const Pass<Cpu>& pass) const override;
  bool can_crop() const override { return conv_->can_crop(); }
  std::vector<Tensor<Cpu>> backward(Context<Cpu>&, const Tensor<Cpu>&, Tape<Cpu>&, Wanted) const override {
    throw Error("a fused network is for inference only");
  }
  Index flops(std::span<const Shape> in) const override {
    const Shape joined[] = {joined_shape(in)};
    return conv_->flops(joined);
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape> shapes) const override;
  std::string describe() const override { return concatenation_->describe() + " + " + conv_->describe(); }
  std::string write(Context<Cpu>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override;

 private:
  std::size_t count() const { return channels_.size(); }
  Shape joined_shape(std::span<const Shape> in) const { return concatenation_->output_shape(in.first(count())); }
  static bool can_join(const Context<Cpu>& context, const ops::Conv2dProblem& problem,
                       std::span<const Index> channels) {
    const cpu::Kernels* const kernels = context.kernels();
    return kernels != nullptr && kernels->joins != nullptr && kernels->joins(context, problem, channels);
  }

  std::shared_ptr<const Layer<Cpu>> concatenation_;
  std::vector<Index> channels_;
  std::shared_ptr<const FusedConvLayer<Cpu>> conv_;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE bool JoinedConvLayer::can_join(const Context<Cpu>& context, const ConvolutionView<Cpu>& conv,
                                             std::span<const Index> channels) {
  if (conv.transposed || channels.size() > kMostInputs || conv.weight.store->dtype() != DType::f32) return false;
  Shape any{1, 512, 512, 0};
  for (const Index c : channels) any.c += c;
  try {
    return can_join(context, conv.problem(any), channels);
  } catch (const ShapeError&) {  // it needs larger maps
    return false;
  }
}

NUCDET_INLINE Shape JoinedConvLayer::output_shape(std::span<const Shape> in) const {
  const std::array<Shape, 2> both{joined_shape(in), in.back()};
  return conv_->output_shape(std::span(both).first(conv_->has_residual() ? 2 : 1));
}

NUCDET_INLINE void JoinedConvLayer::forward(Context<Cpu>& context, Inputs<Cpu> x, Tensor<Cpu>& y,
                                            const Pass<Cpu>& pass) const {
  if (pass.tape != nullptr || pass.mode == Mode::training) throw Error("a fused network is for inference only");
  std::array<Shape, kMostInputs> shapes;
  for (std::size_t i = 0; i < count(); ++i) shapes[i] = x[i].shape();
  const Shape joined = joined_shape({shapes.data(), count()});
  const ops::CroppedConvolution part = conv_->part_of(joined, y.shape(), pass);
  const Tensor<Cpu> residual = conv_->has_residual() ? x.back() : Tensor<Cpu>();
  if (y.dtype() != DType::f32 || !can_join(context, part.problem, channels_)) {
    std::array<Tensor<Cpu>, 2> in{context.make(joined, y.dtype()), residual};
    concatenation_->forward(context, x.first(count()), in[0], {});
    return conv_->forward(context, std::span<const Tensor<Cpu>>(in).first(residual ? 2 : 1), y, pass);
  }
  std::array<cpu::Source, kMostInputs> sources;
  for (std::size_t i = 0; i < count(); ++i) {
    // The part of the map that lies within the part of the joined one that is read.
    const Index top = ops::rows_before(shapes[i].h, joined.h), left = ops::rows_before(shapes[i].w, joined.w);
    const Index y0 = std::max(top, part.large.y), y1 = std::min(top + shapes[i].h, part.large.y + part.large.height);
    const Index x0 = std::max(left, part.large.x), x1 = std::min(left + shapes[i].w, part.large.x + part.large.width);
    sources[i].x =
        x[i].view<const float>().window(y0 - top, x0 - left, std::max<Index>(y1 - y0, 0), std::max<Index>(x1 - x0, 0));
    sources[i].top = y0 - part.large.y, sources[i].left = x0 - part.large.x;
  }
  context.kernels()->joined_convolution(context, part.problem, {sources.data(), count()}, conv_->weights<float>(),
                                        conv_->epilogue_of<float>(residual, y.shape(), pass), y.view<float>());
}

NUCDET_INLINE Extent JoinedConvLayer::extent(std::span<const Extent> in, std::span<const Shape> shapes) const {
  const std::array<Extent, 2> both{concatenation_->extent(in.first(count()), shapes.first(count())), in.back()};
  const std::array<Shape, 2> sizes{joined_shape(shapes), shapes.back()};
  const std::size_t inputs = conv_->has_residual() ? 2 : 1;
  return conv_->extent(std::span(both).first(inputs), std::span(sizes).first(inputs));
}

NUCDET_INLINE std::string JoinedConvLayer::write(Context<Cpu>& context, OperatorGraph& graph,
                                                 std::span<const OperatorInput> x) const {
  Index channels = 0;
  for (const Index c : channels_) channels += c;
  const std::array<OperatorInput, 2> in{
      OperatorInput{concatenation_->write(context, graph, x.first(count())), channels}, x.back()};
  return conv_->write(context, graph, std::span(in).first(conv_->has_residual() ? 2 : 1));
}

#endif

}  // namespace nucdet::nn
