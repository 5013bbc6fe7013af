#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/layers/normalization.hpp"
#include "nucdet/ops/layer_norm.hpp"

namespace nucdet::nn {

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance of each pixel's channels. Saves x, the
/// mean and 1 / deviation.
template <class D>
class LayerNormLayer final : public Layer<D> {
 public:
  LayerNormLayer(Index channels, double epsilon) : channels_(channels), epsilon_(epsilon) {}

  void bind(Binder<D>& binder) override {
    gamma_ = binder.parameter("weight", {channels_}, Init::constant(1));
    beta_ = binder.parameter("bias", {channels_}, Init::constant(0));
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    const Shape& s = x[0].shape();
    Tensor<D> mean = context.make({s.n, s.h, s.w, 1}, parameter_type(y.dtype())),
              inverse = context.make(mean.shape(), mean.dtype());
    dispatch<D>(y.dtype(), [&]<class T>() {
      using C = compute_t<T>;
      ops::layer_norm<T>(context, x[0].template view<const T>(), epsilon_, gamma_.template value<C>(),
                         beta_.template value<C>(), mean.template view<C>().data, inverse.template view<C>().data,
                         y.template view<T>());
    });
    if (pass.tape != nullptr) pass.tape->save(x[0]), pass.tape->save(mean), pass.tape->save(inverse);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> inverse = tape.take(), mean = tape.take(), x = tape.take();
    std::vector<Tensor<D>> dx;
    if (wanted.inputs) dx.push_back(context.make(x.shape(), x.dtype()));
    dispatch<D>(dy.dtype(), [&]<class T>() {
      using C = compute_t<T>;
      ops::layer_norm_gradient<T>(context, x.template view<const T>(), dy.template view<const T>(),
                                  mean.template view<const C>().data, inverse.template view<const C>().data,
                                  gamma_.template value<C>(), wanted.inputs ? dx[0].template view<T>() : View<T>(),
                                  wanted.parameters ? gamma_.template gradient<C>() : nullptr,
                                  wanted.parameters ? beta_.template gradient<C>() : nullptr);
    });
    return dx;
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override { return "LayerNorm"; }
  std::string write(Context<D>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    using Order = std::vector<std::int64_t>;
    const std::string in = graph.add("Transpose", {x[0].name}, {{"perm", Order{0, 2, 3, 1}}}),
                      gamma = graph.numbers("weight", {channels_}, numbers_of(context, gamma_)),
                      beta = graph.numbers("bias", {channels_}, numbers_of(context, beta_));
    const std::vector<Attribute> settings{{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(epsilon_)}};
    return graph.add("Transpose", {graph.add("LayerNormalization", {in, gamma, beta}, settings)},
                     {{"perm", Order{0, 3, 1, 2}}});
  }

 private:
  Index channels_;
  double epsilon_;
  Parameter<D> gamma_, beta_;
};

/// Layer norm over the channels of each pixel, as in ConvNeXt. (Over the whole image: GroupNorm<1>.) Epsilon as
/// PyTorch's layers have it.
template <Number Epsilon = 1e-5>
struct LayerNorm : Leaf<LayerNorm<Epsilon>> {
  static constexpr std::string_view role = "norm";
  static constexpr Diagnosis check(std::span<const Slot>) {
    return {Epsilon.value() > 0 ? Problem::none : Problem::bad_setting};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<LayerNormLayer<D>>(in[0].channels, Epsilon.value());
  }
};

}  // namespace nucdet::nn
