#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/operator_forms.hpp"
#include "nucdet/ops/conv2d.hpp"

namespace nucdet::nn {

using ops::Axes;

/// Padding that centres the kernel ("same"); any number >= 0 means that many zeros on every side.
inline constexpr Index kCentred = -1;

/// Whether a bias is added: one before a batch norm has no effect.
enum class Bias { with, without };

/// The choices of a convolution besides its outputs and its kernel.
struct ConvOptions {
  Axes stride = 1;
  Axes pad = kCentred;
  ops::Rounding rounding = ops::Rounding::floor;  ///< of size / stride, where centred
  Bias bias = Bias::with;
  Axes dilation = 1;        ///< pixels from one tap to the next
  ChannelCount groups = 1;  ///< kSame: a filter for each channel (depthwise)
};

/// The numbers of a convolution layer.
struct ConvSettings {
  Index in = 1, out = 1;
  Axes kernel = 3, stride = 1, pad = kCentred;
  ops::Rounding rounding = ops::Rounding::floor;
  Bias bias = Bias::with;
  Axes dilation = 1;
  Index groups = 1;
  Init weights;

  ops::Conv2dProblem problem(const Shape& x) const {
    if (x.c != in) throw ShapeError(message("Conv: input ", x, " has ", x.c, " channels, wanted ", in));
    return ops::grouped(pad == kCentred ? ops::same_convolution(x, out, kernel, stride, rounding, dilation)
                                        : ops::padded_convolution(x, out, kernel, stride, pad, dilation),
                        groups);
  }
};

/// x: [N, H, W, I] -> y: [N, H / stride, W / stride, O]. Saves x.
template <class D>
class ConvLayer final : public Layer<D> {
 public:
  explicit ConvLayer(ConvSettings settings) : settings_(std::move(settings)) {}

  Shape output_shape(std::span<const Shape> in) const override { return settings_.problem(in[0]).small; }
  void bind(Binder<D>& binder) override {
    const auto& s = settings_;
    weight_ = binder.parameter("weight", {s.out, s.kernel.y, s.kernel.x, s.in / s.groups}, s.weights);
    if (s.bias == Bias::with) bias_ = binder.parameter("bias", {s.out}, Init::constant(0));
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::conv2d<T>(context, settings_.problem(x[0].shape()), x[0].template view<const T>(),
                     weight_.template factors<T>(),
                     {.bias = settings_.bias == Bias::with ? bias_.template value<compute_t<T>>() : nullptr,
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
        ops::conv2d_weight_gradient<T>(context, problem, x.template view<const T>(), slopes,
                                       weight_.template gradient<compute_t<T>>());
        if (settings_.bias == Bias::with && wanted.bias)
          ops::bias_gradient<T>(context, slopes, bias_.template gradient<compute_t<T>>());
      }
      if (wanted.inputs) {
        dx.push_back(context.make(x.shape(), x.dtype()));
        ops::conv2d_data_gradient<T>(context, problem, slopes, weight_.template factors<T>(), {},
                                     dx[0].template view<T>());
      }
    });
    return dx;
  }
  Index flops(std::span<const Shape> in) const override { return settings_.problem(in[0]).flops(); }
  Extent extent(std::span<const Extent> in, std::span<const Shape> shapes) const override {
    return extent_of(in[0], settings_.problem(shapes[0]), false);
  }
  std::string describe() const override {
    const auto& s = settings_;
    const bool depthwise = s.groups > 1 && s.groups == s.in && s.groups == s.out;
    std::string text = message(depthwise ? "DepthwiseConv " : "Conv ", s.kernel.y, 'x', s.kernel.x);
    if (s.stride != 1) text += message(", stride ", s.stride);
    if (s.dilation != 1) text += message(", dilation ", s.dilation);
    if (s.groups != 1 && !depthwise) text += message(", ", s.groups, " groups");
    return text;
  }
  std::string write(Context<D>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    return write_convolution(graph, *as_convolution(), context, x[0]);
  }
  std::optional<ConvolutionView<D>> as_convolution() const override {
    return ConvolutionView<D>{[s = settings_](const Shape& x) { return s.problem(x); }, weight_, bias_, settings_.out};
  }

 private:
  ConvSettings settings_;
  Parameter<D> weight_, bias_;
};

/// Convolution with `Filters` outputs: Conv<8, 3>, Conv<kSame, Axes(3, 1), ConvOptions{.dilation = 2}>. Centred by
/// default: the output has floor(size / stride) pixels (Rounding::ceil: ceil), as if padded with dilation (kernel - 1)
/// / 2 before and what is needed after. Weights: how they start.
template <ChannelCount Filters, Axes Kernel, ConvOptions O = ConvOptions{}, Initializer Weights = HeNormal>
struct Conv : Leaf<Conv<Filters, Kernel, O, Weights>> {
  static constexpr std::string_view role = "conv";
  static constexpr int channels(std::span<const Slot> in) { return Filters.of(in[0].channels); }
  static constexpr Diagnosis check(std::span<const Slot> in) {
    const auto at_least = [](const Axes& a, Index least) { return a.y >= least && a.x >= least; };
    if (!at_least(Kernel, 1) || !at_least(O.stride, 1) || !at_least(O.dilation, 1) || !at_least(O.pad, kCentred))
      return {Problem::bad_setting};
    if (O.pad != kCentred && !at_least(O.pad, 0)) return {Problem::bad_setting};
    if (O.pad == kCentred && (Kernel.y % 2 == 0 || Kernel.x % 2 == 0)) {
      const int even = static_cast<int>(Kernel.y % 2 == 0 ? Kernel.y : Kernel.x);
      return {.problem = Problem::even_kernel, .expected = even + 1, .got = even};
    }
    const int groups = O.groups.of(in[0].channels), outputs = channels(in);
    if (outputs >= 1 && (groups < 1 || in[0].channels % groups != 0 || outputs % groups != 0))
      return {.problem = Problem::unequal_groups, .expected = groups, .got = outputs};
    return {};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    const Index groups = O.groups.of(in[0].channels);
    return std::make_unique<ConvLayer<D>>(ConvSettings{in[0].channels, channels(in), Kernel, O.stride, O.pad,
                                                       O.rounding, O.bias, O.dilation, groups,
                                                       Init::of<Weights>(Kernel.count() * in[0].channels / groups)});
  }
};
/// One filter for each channel.
template <Axes Kernel, ConvOptions O = ConvOptions{}>
struct DepthwiseConv : Conv<kSame, Kernel, ConvOptions{O.stride, O.pad, O.rounding, O.bias, O.dilation, kSame}> {};

}  // namespace nucdet::nn
