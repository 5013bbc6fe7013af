#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/layers/conv.hpp"
#include "nucdet/ops/conv2d.hpp"

namespace nucdet::nn {

/// The choices of a transposed convolution. The defaults give size stride * n for stride 2 and stride * n -
/// (stride - 2) for larger ones, as the authors' context branches have it.
struct TransposedConvOptions {
  Axes stride = 2;
  Axes pad = 1;
  Axes output_pad = 1;  ///< rows and columns after, where several sizes have one input size
  Bias bias = Bias::with;
};

/// The numbers of a transposed convolution layer.
struct TransposedConvSettings {
  Index in = 1, out = 1;
  Axes kernel = 3;
  TransposedConvOptions options;
  Init weights;

  ops::Conv2dProblem problem(const Shape& x) const {
    if (x.c != in) throw ShapeError(message("TransposedConv: input ", x, " has ", x.c, " channels, wanted ", in));
    return ops::transposed_convolution(x, out, kernel, options.stride, options.pad, options.output_pad);
  }
};

/// x: [N, H, W, I] -> y: [N, stride (H - 1) - 2 pad + kernel + output_pad, ..., O]: the data gradient of the
/// convolution with the same numbers. Saves x.
template <class D>
class TransposedConvLayer final : public Layer<D> {
 public:
  explicit TransposedConvLayer(TransposedConvSettings settings) : settings_(std::move(settings)) {}

  Shape output_shape(std::span<const Shape> in) const override { return settings_.problem(in[0]).large; }
  void bind(Binder<D>& binder) override {
    const auto& s = settings_;
    weight_ = binder.parameter("weight", {s.in, s.kernel.y, s.kernel.x, s.out}, s.weights);
    if (has_bias()) bias_ = binder.parameter("bias", {s.out}, Init::constant(0));
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::conv2d_data_gradient<T>(context, settings_.problem(x[0].shape()), x[0].template view<const T>(),
                                   weight_.template factors<T>(),
                                   {.bias = has_bias() ? bias_.template value<compute_t<T>>() : nullptr,
                                    .first = {},
                                    .residual = {},
                                    .last = {}},
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
        if (has_bias() && wanted.bias) ops::bias_gradient<T>(context, slopes, bias_.template gradient<compute_t<T>>());
      }
      if (wanted.inputs) {
        dx.push_back(context.make(x.shape(), x.dtype()));
        ops::conv2d<T>(context, problem, slopes, weight_.template factors<T>(), {}, dx[0].template view<T>());
      }
    });
    return dx;
  }
  Index flops(std::span<const Shape> in) const override { return settings_.problem(in[0]).flops(); }
  Extent extent(std::span<const Extent> in, std::span<const Shape> shapes) const override {
    return extent_of(in[0], settings_.problem(shapes[0]), true);
  }
  std::string describe() const override {
    return message("TransposedConv ", settings_.kernel.y, 'x', settings_.kernel.x, ", stride ",
                   settings_.options.stride);
  }
  std::string write(Context<D>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    return write_convolution(graph, *as_convolution(), context, x[0]);
  }
  std::optional<ConvolutionView<D>> as_convolution() const override {
    return ConvolutionView<D>{[s = settings_](const Shape& x) { return s.problem(x); }, weight_, bias_, settings_.out,
                              true};
  }

 private:
  bool has_bias() const { return settings_.options.bias == Bias::with; }

  TransposedConvSettings settings_;
  Parameter<D> weight_, bias_;
};

/// Transposed convolution with `Filters` outputs.
template <ChannelCount Filters, Axes Kernel, TransposedConvOptions O = TransposedConvOptions{},
          Initializer Weights = HeNormal>
struct TransposedConv : Leaf<TransposedConv<Filters, Kernel, O, Weights>> {
  static constexpr std::string_view role = "tconv";
  static constexpr int channels(std::span<const Slot> in) { return Filters.of(in[0].channels); }
  static constexpr Diagnosis check(std::span<const Slot>) {
    const auto good = [](Index kernel, Index stride, Index pad, Index output_pad) {
      return kernel >= 1 && stride >= 1 && pad >= 0 && pad < kernel && output_pad >= 0 && output_pad < stride;
    };
    const bool both =
        good(Kernel.y, O.stride.y, O.pad.y, O.output_pad.y) && good(Kernel.x, O.stride.x, O.pad.x, O.output_pad.x);
    return {both ? Problem::none : Problem::bad_setting};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    // An output pixel sums kernel^2 / stride^2 taps on average.
    const Index sums = Kernel.count() * in[0].channels / O.stride.count(), fan_in = sums > 1 ? sums : 1;
    return std::make_unique<TransposedConvLayer<D>>(
        TransposedConvSettings{in[0].channels, channels(in), Kernel, O, Init::of<Weights>(fan_in)});
  }
};

}  // namespace nucdet::nn
