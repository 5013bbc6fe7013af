#pragma once
#include <memory>
#include <type_traits>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/epilogue.hpp"

namespace nucdet::nn {

/// y = f(x), element by element. Saves y: the slope of every activation here is a function of its output.
template <class F, class D>
class ActivationLayer final : public Layer<D> {
 public:
  ActivationLayer(F function, std::string name) : function_(function), name_(std::move(name)) {}

  const F& function() const { return function_; }

  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::activate<T>(context, function_, x[0].template view<const T>(), y.template view<T>());
    });
    if (pass.tape != nullptr) pass.tape->save(y);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> y = tape.take();
    std::vector<Tensor<D>> dx;
    if (!wanted.inputs) return dx;
    dx.push_back(context.make(y.shape(), y.dtype()));
    dispatch<D>(dy.dtype(), [&]<class T>() {
      ops::activate_gradient<T>(context, function_, y.template view<const T>(), dy.template view<const T>(),
                                dx[0].template view<T>());
    });
    return dx;
  }
  std::string describe() const override { return name_; }

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
/// Negative slope in hundredths.
template <int SlopePercent = 1>
struct LeakyRelu : ActivationLeaf<LeakyRelu<SlopePercent>> {
  static constexpr std::string_view role = "leaky_relu";
  static constexpr auto function() { return ops::LeakyRelu{SlopePercent / 100.0f}; }
};
struct Sigmoid : ActivationLeaf<Sigmoid> {
  static constexpr std::string_view role = "sigmoid";
  static constexpr auto function() { return ops::Sigmoid{}; }
};
template <int Scale>
struct ScaledSigmoid : ActivationLeaf<ScaledSigmoid<Scale>> {
  static constexpr std::string_view role = "sigmoid";
  static constexpr auto function() { return ops::ScaledSigmoid{Scale}; }
};
/// Factor in hundredths.
template <int FactorPercent>
struct Scale : ActivationLeaf<Scale<FactorPercent>> {
  static constexpr std::string_view role = "scale";
  static constexpr auto function() { return ops::Scale{FactorPercent / 100.0f}; }
};

}  // namespace nucdet::nn
