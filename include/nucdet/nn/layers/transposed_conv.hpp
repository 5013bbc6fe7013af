#pragma once
#include <cmath>
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/conv2d.hpp"

namespace nucdet::nn {

/// The numbers of a transposed convolution layer.
struct TransposedConvSettings {
  Index in = 1, out = 1, kernel = 3, stride = 2, pad = 1, output_pad = 1;

  ops::Conv2dProblem problem(const Shape& x) const {
    if (x.c != in) throw ShapeError(message("TransposedConv: input ", x, " has ", x.c, " channels, wanted ", in));
    return ops::transposed_convolution(x, out, kernel, stride, pad, output_pad);
  }
};

/// x: [N, H, W, I] -> y: [N, stride (H - 1) - 2 pad + kernel + output_pad, ..., O], with bias: the data gradient of the
/// convolution with the same numbers. Saves x.
template <class D>
class TransposedConvLayer final : public Layer<D> {
 public:
  explicit TransposedConvLayer(TransposedConvSettings settings) : settings_(settings) {}

  const TransposedConvSettings& settings() const { return settings_; }
  const Parameter<D>& weight() const { return weight_; }
  const Parameter<D>* bias() const { return &bias_; }

  Shape output_shape(std::span<const Shape> in) const override { return settings_.problem(in[0]).large; }
  void bind(Binder<D>& binder) override {
    const auto& s = settings_;
    // An output pixel sums kernel^2 / stride^2 taps on average.
    const Index fan_in = std::max<Index>(1, s.kernel * s.kernel * s.in / (s.stride * s.stride));
    weight_ = binder.parameter("weight", {s.in, s.kernel, s.kernel, s.out}, Init::he_normal(fan_in));
    bias_ = binder.parameter("bias", {s.out}, Init::constant(0));
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::conv2d_data_gradient<T>(
          context, settings_.problem(x[0].shape()), x[0].template view<const T>(), weight_.template factors<T>(),
          {.bias = bias_.template value<compute_t<T>>(), .first = {}, .residual = {}, .last = {}},
          y.template view<T>());
    });
    if (pass.tape != nullptr) pass.tape->save(x[0]);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> x = tape.take();
    const auto problem = settings_.problem(x.shape());
    std::vector<Tensor<D>> dx;
    dispatch<D>(dy.dtype(), [&]<class T>() {
      const auto slopes = dy.template view<const T>();
      if (wanted.parameters) {
        ops::conv2d_weight_gradient<T>(context, problem, slopes, x.template view<const T>(),
                                       weight_.template gradient<compute_t<T>>());
        ops::bias_gradient<T>(context, slopes, bias_.template gradient<compute_t<T>>());
      }
      if (wanted.inputs) {
        dx.push_back(context.make(x.shape(), x.dtype()));
        ops::conv2d<T>(context, problem, slopes, weight_.template factors<T>(), {}, dx[0].template view<T>());
      }
    });
    return dx;
  }
  Index flops(std::span<const Shape> in) const override { return settings_.problem(in[0]).flops(); }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override {
    // Output u reads the inputs i with stride i = u + pad - ky: at most one every stride pixels, at both ends.
    const double scale = in[0].scale / static_cast<double>(settings_.stride), pad = static_cast<double>(settings_.pad);
    const double first = pad - static_cast<double>(settings_.kernel - 1);
    return {scale, in[0].low + scale * first, in[0].high + scale * pad};
  }
  std::string describe() const override {
    return message("TransposedConv ", settings_.kernel, 'x', settings_.kernel, ", stride ", settings_.stride);
  }

 private:
  TransposedConvSettings settings_;
  Parameter<D> weight_, bias_;
};

/// Transposed convolution. The defaults give size stride * n for stride 2 and stride * n - (stride - 2) for larger
/// ones, as the authors' context branches have it.
template <int Filters, int Kernel, int Stride, int Pad = 1, int OutputPad = 1>
struct TransposedConv : Leaf<TransposedConv<Filters, Kernel, Stride, Pad, OutputPad>> {
  static constexpr std::string_view role = "tconv";
  static constexpr int channels(std::span<const Slot> in) { return Filters == kSame ? in[0].channels : Filters; }
  static constexpr Diagnosis check(std::span<const Slot>) {
    const bool good = Kernel >= 1 && Stride >= 1 && Pad >= 0 && Pad < Kernel && OutputPad >= 0 && OutputPad < Stride;
    return {good ? Problem::none : Problem::bad_setting};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<TransposedConvLayer<D>>(
        TransposedConvSettings{in[0].channels, channels(in), Kernel, Stride, Pad, OutputPad});
  }
};

}  // namespace nucdet::nn
