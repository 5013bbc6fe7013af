#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/number.hpp"
#include "nucdet/nn/operator_forms.hpp"
#include "nucdet/ops/epilogue.hpp"

namespace nucdet::nn {

/// y = f(x), element by element. Saves y, or x where the slope is taken from the input (GELU, SiLU).
template <class F, class D>
class ActivationLayer final : public Layer<D> {
 public:
  ActivationLayer(F function, std::string name) : function_(function), name_(std::move(name)) {}

  const F& function() const { return function_; }

  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::activate<T>(context, function_, x[0].template view<const T>(), y.template view<T>());
    });
    if (pass.tape != nullptr) pass.tape->save(ops::SlopeOfInput<F> ? x[0] : y);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> saved = tape.take();
    std::vector<Tensor<D>> dx;
    if (!wanted.inputs) return dx;
    dx.push_back(context.make(saved.shape(), saved.dtype()));
    dispatch<D>(dy.dtype(), [&]<class T>() {
      ops::activate_gradient<T>(context, function_, saved.template view<const T>(), dy.template view<const T>(),
                                dx[0].template view<T>());
    });
    return dx;
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override { return name_; }
  std::string write(Context<D>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    if constexpr (requires { write_activation(graph, function_, x[0].name); })
      return write_activation(graph, function_, x[0].name);
    else
      return Layer<D>::write(context, graph, x);
  }
  ops::Fused as_activation() const override { return ops::Fused::of(function_); }

 private:
  F function_;
  std::string name_;
};

/// Base of the activation specs: Self::function() makes the functor, Self::role names the layer.
template <class Self>
struct ActivationLeaf : Leaf<Self> {
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<ActivationLayer<decltype(Self::function()), D>>(Self::function(), std::string(Self::role));
  }
};

struct Elu : ActivationLeaf<Elu> {
  static constexpr std::string_view role = "elu";
  static constexpr auto function() { return ops::Elu{}; }
};
struct Relu : ActivationLeaf<Relu> {
  static constexpr std::string_view role = "relu";
  static constexpr auto function() { return ops::Relu{}; }
};
template <Number NegativeSlope = 0.01f>
struct LeakyRelu : ActivationLeaf<LeakyRelu<NegativeSlope>> {
  static constexpr std::string_view role = "leaky_relu";
  static constexpr auto function() { return ops::LeakyRelu{NegativeSlope.single()}; }
};
struct Sigmoid : ActivationLeaf<Sigmoid> {
  static constexpr std::string_view role = "sigmoid";
  static constexpr auto function() { return ops::Sigmoid{}; }
};
/// Largest / (1 + exp(-x)).
template <Number Largest>
struct ScaledSigmoid : ActivationLeaf<ScaledSigmoid<Largest>> {
  static constexpr std::string_view role = "sigmoid";
  static constexpr auto function() { return ops::ScaledSigmoid{Largest.single()}; }
};
template <Number Factor>
struct Scale : ActivationLeaf<Scale<Factor>> {
  static constexpr std::string_view role = "scale";
  static constexpr auto function() { return ops::Scale{Factor.single()}; }
};
/// With the normal distribution function itself, PyTorch's default.
struct Gelu : ActivationLeaf<Gelu> {
  static constexpr std::string_view role = "gelu";
  static constexpr auto function() { return ops::Gelu{}; }
};
struct Silu : ActivationLeaf<Silu> {
  static constexpr std::string_view role = "silu";
  static constexpr auto function() { return ops::Silu{}; }
};

}  // namespace nucdet::nn
