#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/multiply.hpp"

namespace nucdet::nn {

/// Input 0 times input 1, which has its shape, or one channel, or one pixel (or one of both) for all. Saves both.
template <class D>
class MultiplyLayer final : public Layer<D> {
 public:
  Shape output_shape(std::span<const Shape> in) const override {
    ops::detail::check_gate("Multiply", in[0], in[1]);
    return in[0];
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::multiply<T>(context, x[0].template view<const T>(), x[1].template view<const T>(), y.template view<T>());
    });
    if (pass.tape != nullptr) pass.tape->save(x[0]), pass.tape->save(x[1]);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> gate = tape.take(), x = tape.take();
    if (!wanted.inputs) return {};
    std::vector<Tensor<D>> dx{context.make(x.shape(), x.dtype()), context.make(gate.shape(), gate.dtype())};
    dispatch<D>(dy.dtype(), [&]<class T>() {
      const auto slopes = dy.template view<const T>();
      ops::multiply<T>(context, slopes, gate.template view<const T>(), dx[0].template view<T>());
      ops::multiply_gate_gradient<T>(context, x.template view<const T>(), slopes, dx[1].template view<T>());
    });
    return dx;
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override { return "Multiply"; }
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    return graph.add("Mul", {x[0].name, x[1].name});
  }
};

struct MultiplyOp : Leaf<MultiplyOp> {
  static constexpr std::string_view role = "multiply";
  static constexpr int inputs = 2;
  static constexpr Diagnosis check(std::span<const Slot> in) {
    if (in[1].channels == 1 || in[1].channels == in[0].channels) return {};
    return {.problem = Problem::unequal_channels, .expected = in[0].channels, .got = in[1].channels};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<MultiplyLayer<D>>();
  }
};

/// What A makes times what the gate makes: of the same size and channels, or of one channel, or of one pixel.
template <Spec A, Spec Gate>
struct Multiply : Join<MultiplyOp, A, Gate> {};

}  // namespace nucdet::nn
