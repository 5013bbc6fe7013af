#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/nn/fusion.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/operator_forms.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/conv2d.hpp"
#include "nucdet/ops/convert.hpp"
#include "nucdet/ops/fold.hpp"

namespace nucdet::nn {

namespace detail {

/// Weights as convolutions on the context's maps read them: themselves, or rounded to 16 bits.
template <class D>
Tensor<D> rounded_factors(Context<D>& context, Tensor<D> weight) {
  const DType type = map_type(context, weight.dtype());
  if (type == weight.dtype()) return weight;
  Tensor<D> rounded = context.make(weight.shape(), type);
  dispatch<D>(type, [&]<class Half>() {
    if constexpr (!std::is_same_v<Half, compute_t<Half>>)
      ops::convert<float, Half>(context, std::as_const(weight).template view<const float>(),
                                rounded.template view<Half>());
  });
  return rounded;
}

}  // namespace detail

/// A convolution of any kind with what follows it folded in: y = last(first(conv(x) + b) + residual). Inference only;
/// inputs: x and, with a residual, the residual.
template <class D>
class FusedConvLayer final : public Layer<D> {
 public:
  /// Takes a copy of the weights.
  FusedConvLayer(Context<D>& context, const ConvolutionView<D>& conv, std::string name)
      : problem_(conv.problem), transposed_(conv.transposed), name_(std::move(name)) {
    const DType type = conv.weight.store->dtype();
    weight_ = context.make({1, 1, 1, conv.weight.count()}, type);
    bias_ = context.zeros({1, 1, 1, conv.outputs}, type);
    dispatch<D>(type, [&]<class T>() {
      if constexpr (std::is_same_v<T, compute_t<T>>) {
        const auto copy = [&](const Parameter<D>& from, Tensor<D>& to) {
          ops::copy<T>(context, View<const T>(from.template value<T>(), to.shape()), to.template view<T>());
        };
        copy(conv.weight, weight_);
        if (conv.bias.store != nullptr) copy(conv.bias, bias_);
      }
    });
  }

  /// Takes a line for each channel into the weights.
  void fold(Context<D>& context, const AffineView<D>& line) {
    dispatch<D>(weight_.dtype(), [&]<class T>() {
      if constexpr (std::is_same_v<T, compute_t<T>>) {
        const auto values = [](const Parameter<D>& p) -> const T* {
          return p.store != nullptr ? p.template value<T>() : nullptr;
        };
        ops::fold_norm<T>(context, values(line.gamma), values(line.beta), values(line.mean), values(line.variance),
                          line.epsilon, bias_.shape().c, weight_.shape().c, transposed_,
                          weight_.template view<T>().data, bias_.template view<T>().data);
      }
    });
    name_ += " + norm";
  }
  /// Rounds the weights to the type of the maps; nothing is folded afterwards.
  void finish(Context<D>& context) { weight_ = detail::rounded_factors(context, std::move(weight_)); }
  void set_first(ops::Fused f) { first_ = f, name_ += " + act"; }
  void set_last(ops::Fused f) { last_ = f, name_ += " + act"; }
  void set_residual() { residual_ = true, name_ += " + add"; }
  bool has_residual() const { return residual_; }

  Shape output_shape(std::span<const Shape> in) const override {
    const ops::Conv2dProblem p = problem_(in[0]);
    const Shape y = transposed_ ? p.large : p.small;
    if (residual_ && in[1] != y) throw ShapeError(message("Add: input 1 is ", y, " but input 0 is ", in[1]));
    return y;
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    if (pass.tape != nullptr || pass.mode == Mode::training) throw Error("a fused network is for inference only");
    const ops::CroppedConvolution part = part_of(x[0].shape(), y.shape(), pass);
    const Tensor<D> in = transposed_ ? x[0] : x[0].window(part.large);
    dispatch<D>(y.dtype(), [&]<class T>() {
      const auto epilogue = epilogue_of<T>(residual_ ? x[1] : Tensor<D>(), y.shape(), pass);
      const View<const T> from = in.template view<const T>();
      if (transposed_)
        ops::conv2d_data_gradient<T>(context, part.problem, from, weights<T>(), epilogue, y.template view<T>());
      else
        ops::conv2d<T>(context, part.problem, from, weights<T>(), epilogue, y.template view<T>());
    });
  }
  bool can_crop() const override { return !transposed_; }
  /// Of a convolution of x, what makes the part y of its output, and the part of x that it needs; of a transposed one
  /// all.
  ops::CroppedConvolution part_of(const Shape& x, const Shape& y, const Pass<D>& pass) const {
    const ops::Conv2dProblem p = problem_(x);
    if (transposed_ || (y.h == p.small.h && y.w == p.small.w)) return {p, {0, 0, x.w, x.h}};
    return ops::cropped(p, pass.top, pass.left, y);
  }
  template <class T>
  const T* weights() const {
    return weight_.template view<const T>().data;
  }
  /// residual: of the whole output, or none.
  template <class T>
  ops::Epilogue<T> epilogue_of(const Tensor<D>& residual, const Shape& y, const Pass<D>& pass) const {
    ops::Epilogue<T> epilogue{bias_.template view<const compute_t<T>>().data, first_, {}, last_};
    if (residual) epilogue.residual = residual.window(pass.top, pass.left, y.h, y.w).template view<const T>();
    return epilogue;
  }
  std::vector<Tensor<D>> backward(Context<D>&, const Tensor<D>&, Tape<D>&, Wanted) const override {
    throw Error("a fused network is for inference only");
  }
  Index flops(std::span<const Shape> in) const override { return problem_(in[0]).flops(); }
  Extent extent(std::span<const Extent> in, std::span<const Shape> shapes) const override {
    const Extent own = extent_of(in[0], problem_(shapes[0]), transposed_);
    if (!residual_) return own;
    const Extent both[] = {own, in[1]};
    return Extent::in_place(both);
  }
  std::string describe() const override { return name_; }
  std::string write(Context<D>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    std::string y =
        write_convolution(graph, problem_, transposed_, numbers_of(context, weight_), numbers_of(context, bias_), x[0]);
    y = write_activation(graph, first_, y);
    if (residual_) y = graph.add("Add", {y, x[1].name});
    return write_activation(graph, last_, y);
  }

 private:
  std::function<ops::Conv2dProblem(const Shape&)> problem_;
  bool transposed_, residual_ = false;
  ops::Fused first_, last_;
  Tensor<D> weight_, bias_;
  std::string name_;
};

}  // namespace nucdet::nn
