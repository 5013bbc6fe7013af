#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/conv2d.hpp"

namespace nucdet::nn {

/// Padding that centres the kernel ("same"); any number >= 0 means that many zeros on every side.
inline constexpr int kCentred = -1;

/// Whether a bias is added: one before a batch norm has no effect.
enum class Bias { with, without };

/// The numbers of a convolution layer.
struct ConvSettings {
  Index in = 1, out = 1, kernel = 3, stride = 1;
  Index pad = kCentred;
  ops::Rounding rounding = ops::Rounding::floor;
  Bias bias = Bias::with;

  ops::Conv2dProblem problem(const Shape& x) const {
    if (x.c != in) throw ShapeError(message("Conv: input ", x, " has ", x.c, " channels, wanted ", in));
    if (pad == kCentred) return ops::same_convolution(x, out, kernel, stride, rounding);
    return ops::padded_convolution(x, out, kernel, stride, pad);
  }
};

/// x: [N, H, W, I] -> y: [N, H / stride, W / stride, O]. Saves x.
template <class D>
class ConvLayer final : public Layer<D> {
 public:
  explicit ConvLayer(ConvSettings settings) : settings_(settings) {}

  const ConvSettings& settings() const { return settings_; }
  const Parameter<D>& weight() const { return weight_; }
  /// Null without a bias.
  const Parameter<D>* bias() const { return settings_.bias == Bias::with ? &bias_ : nullptr; }

  Shape output_shape(std::span<const Shape> in) const override { return settings_.problem(in[0]).small; }
  void bind(Binder<D>& binder) override {
    const auto& s = settings_;
    weight_ =
        binder.parameter("weight", {s.out, s.kernel, s.kernel, s.in}, Init::he_normal(s.kernel * s.kernel * s.in));
    if (s.bias == Bias::with) bias_ = binder.parameter("bias", {s.out}, Init::constant(0));
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::conv2d<T>(context, settings_.problem(x[0].shape()), x[0].template view<const T>(),
                     weight_.template factors<T>(),
                     {.bias = bias() != nullptr ? bias_.template value<compute_t<T>>() : nullptr,
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
        if (bias() != nullptr) ops::bias_gradient<T>(context, slopes, bias_.template gradient<compute_t<T>>());
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
    const double scale = in[0].scale, pad = static_cast<double>(settings_.problem(shapes[0]).pad);
    const double last = static_cast<double>(settings_.kernel - 1) - pad;
    return {scale * static_cast<double>(settings_.stride), in[0].low - scale * pad, in[0].high + scale * last};
  }
  std::string describe() const override {
    const auto& s = settings_;
    return message("Conv ", s.kernel, 'x', s.kernel, s.stride > 1 ? message(", stride ", s.stride) : std::string());
  }

 private:
  ConvSettings settings_;
  Parameter<D> weight_, bias_;
};

/// Convolution with `Filters` outputs (kSame: as many as the input has). Centred by default: the output has
/// floor(size / stride) pixels (Rounding::ceil: ceil), as if padded with (kernel - 1) / 2 before and what is needed
/// after.
template <int Filters, int Kernel, int Stride = 1, int Pad = kCentred, ops::Rounding Round = ops::Rounding::floor,
          Bias B = Bias::with>
struct Conv : Leaf<Conv<Filters, Kernel, Stride, Pad, Round, B>> {
  static constexpr std::string_view role = "conv";
  static constexpr int channels(std::span<const Slot> in) { return Filters == kSame ? in[0].channels : Filters; }
  static constexpr Diagnosis check(std::span<const Slot>) {
    if (Kernel < 1 || Stride < 1 || Pad < kCentred) return {Problem::bad_setting};
    if (Pad == kCentred && Kernel % 2 == 0)
      return {.problem = Problem::even_kernel, .expected = Kernel + 1, .got = Kernel};
    return {};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<ConvLayer<D>>(ConvSettings{in[0].channels, channels(in), Kernel, Stride, Pad, Round, B});
  }
};

}  // namespace nucdet::nn
