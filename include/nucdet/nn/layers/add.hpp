#pragma once
#include <memory>

#include "nucdet/nn/layers/combine.hpp"
#include "nucdet/ops/activation.hpp"
#include "nucdet/ops/add.hpp"

namespace nucdet::nn {

/// The sum of its inputs.
template <class D>
class AddLayer final : public CombineLayer<D> {
 public:
  AddLayer(int reference, std::size_t inputs) : CombineLayer<D>(reference, "Add"), inputs_(inputs) {}

  Shape output_shape(std::span<const Shape> in) const override { return this->reference(in); }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      const auto term = [&](std::size_t i) -> Tensor<D> {
        if (x[i].shape() == y.shape()) return x[i];
        Tensor<D> matched = context.make(y.shape(), y.dtype());
        ops::match_size<T>(context, x[i].template view<const T>(), matched.template view<T>());
        return matched;
      };
      const auto sum = y.template view<T>();
      const Tensor<D> first = term(0);
      if (x.size() == 1) return ops::copy<T>(context, first.template view<const T>(), sum);
      const Tensor<D> second = term(1);
      const View<const T> two[] = {first.template view<const T>(), second.template view<const T>()};
      ops::add<T>(context, std::span<const View<const T>>(two), sum);
      for (std::size_t i = 2; i < x.size(); ++i) {
        const Tensor<D> next = term(i);
        ops::accumulate<T>(context, next.template view<const T>(), sum);
      }
    });
    this->save_sizes(x, pass.tape);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    std::vector<Tensor<D>> dx(inputs_);
    for (std::size_t i = inputs_; i-- > 0;) {
      const Index w = static_cast<Index>(tape.take_number()), h = static_cast<Index>(tape.take_number());
      if (wanted.inputs) dx[i] = this->gradient_of(context, dy, h, w);
    }
    if (!wanted.inputs) dx.clear();
    return dx;
  }
  std::string describe() const override { return "Add"; }
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    std::string sum = this->write_matched(graph, x, 0);
    for (std::size_t i = 1; i < x.size(); ++i) sum = graph.add("Add", {sum, this->write_matched(graph, x, i)});
    return sum;
  }
  bool is_sum() const override { return this->reference_ == kEqualSizes; }
  bool can_overwrite(std::size_t input) const override { return input < 2; }
  std::shared_ptr<const Layer<D>> with_activation(const ops::Fused& f) const override;

 private:
  std::size_t inputs_;
};

/// A sum of two maps and the activation behind it. Saves y.
template <class D>
class AddActivationLayer final : public Layer<D> {
 public:
  AddActivationLayer(const AddLayer<D>& add, const ops::Fused& activation) : add_(add), activation_(activation) {}

  Shape output_shape(std::span<const Shape> in) const override { return add_.output_shape(in); }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::with_activation(activation_, [&](const auto& f) {
        ops::add_activate<T>(context, f, x[0].template view<const T>(), x[1].template view<const T>(),
                             y.template view<T>());
      });
    });
    if (pass.tape != nullptr) pass.tape->save(y);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> y = tape.take();
    if (!wanted.inputs) return {};
    Tensor<D> dx = context.make(y.shape(), y.dtype());
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::with_activation(activation_, [&](const auto& f) {
        ops::activate_gradient<T>(context, f, y.template view<const T>(), dy.template view<const T>(),
                                  dx.template view<T>());
      });
    });
    return {dx, dx};
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override { return "Add + act"; }

 private:
  AddLayer<D> add_;
  ops::Fused activation_;
};

/// Not for slopes that are taken from the input: the sum is not kept.
template <class D>
std::shared_ptr<const Layer<D>> AddLayer<D>::with_activation(const ops::Fused& f) const {
  bool of_output = false;
  ops::with_activation(f, [&]<class F>(const F&) { of_output = !ops::SlopeOfInput<F>; });
  if (!of_output || inputs_ != 2 || !is_sum()) return nullptr;
  return std::make_shared<AddActivationLayer<D>>(*this, f);
}

template <int Reference>
struct AddOp : Leaf<AddOp<Reference>> {
  static constexpr std::string_view role = "add";
  static constexpr int inputs = 0;
  static constexpr bool equal_channels = true;
  static constexpr Diagnosis check(std::span<const Slot> in) { return detail::check_reference(Reference, in.size()); }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<AddLayer<D>>(Reference, in.size());
  }
};
/// Branches of equal size, added. AddTo<k>: brought to the size of branch k first.
template <Spec... Branches>
struct Add : Join<AddOp<kEqualSizes>, Branches...> {};
template <int Reference, Spec... Branches>
struct AddTo : Join<AddOp<Reference>, Branches...> {};
/// x + F(x).
template <Spec... Specs>
struct Residual : Join<AddOp<kEqualSizes>, Identity, Sequential<Specs...>> {};

}  // namespace nucdet::nn
