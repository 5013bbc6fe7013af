#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/pixel_shuffle.hpp"

namespace nucdet::nn {

/// x: [N, H, W, factor^2 C] -> y: [N, factor H, factor W, C], in PyTorch's order of channels.
template <class D>
class PixelShuffleLayer final : public Layer<D> {
 public:
  explicit PixelShuffleLayer(Index factor) : factor_(factor) {}

  Shape output_shape(std::span<const Shape> in) const override {
    return {in[0].n, in[0].h * factor_, in[0].w * factor_, in[0].c / (factor_ * factor_)};
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>&) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::pixel_shuffle<T>(context, x[0].template view<const T>(), factor_, y.template view<T>());
    });
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>&, Wanted wanted) const override {
    std::vector<Tensor<D>> dx;
    if (!wanted.inputs) return dx;
    const Shape s = dy.shape();
    dx.push_back(context.make({s.n, s.h / factor_, s.w / factor_, s.c * factor_ * factor_}, dy.dtype()));
    dispatch<D>(dy.dtype(), [&]<class T>() {
      ops::pixel_unshuffle<T>(context, dy.template view<const T>(), factor_, dx[0].template view<T>());
    });
    return dx;
  }
  /// Output u = factor q + r has its place at u / factor and reads q.
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override {
    const double f = static_cast<double>(factor_);
    return {in[0].scale / f, in[0].low - in[0].scale * (f - 1) / f, in[0].high, in[0].even};
  }
  std::string describe() const override { return message("PixelShuffle ", factor_); }
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    return graph.add("DepthToSpace", {x[0].name}, {{"blocksize", std::int64_t{factor_}}, {"mode", std::string("CRD")}});
  }

 private:
  Index factor_;
};

/// Channels become pixels [Shi et al. 2016]: up-sampling by a factor behind a convolution with factor^2 as many
/// outputs.
template <int Factor>
struct PixelShuffle : Leaf<PixelShuffle<Factor>> {
  static constexpr std::string_view role = "shuffle";
  static constexpr int channels(std::span<const Slot> in) { return in[0].channels / (Factor * Factor); }
  static constexpr Diagnosis check(std::span<const Slot> in) {
    if (Factor < 1) return {Problem::bad_setting};
    if (in[0].channels % (Factor * Factor) == 0) return {};
    return {.problem = Problem::unequal_groups, .expected = Factor * Factor, .got = in[0].channels};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<PixelShuffleLayer<D>>(Factor);
  }
};

}  // namespace nucdet::nn
