/// Layers of a user's own: they say what they are by virtual functions, and the passes take them in as they take in the
/// built-in ones.
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

/// y = gamma x + beta for each channel, without statistics.
template <class D>
class LineLayer final : public Layer<D> {
 public:
  explicit LineLayer(Index channels) : channels_(channels) {}
  void bind(Binder<D>& binder) override {
    gamma_ = binder.parameter("weight", {channels_}, Init::constant(1));
    beta_ = binder.parameter("bias", {channels_}, Init::constant(0));
  }
  void forward(Context<D>&, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      each(y.shape(), [&](Index n, Index h, Index w, Index c) {
        y.template view<T>()(n, h, w, c) =
            gamma_.template value<T>()[c] * x[0].template view<const T>()(n, h, w, c) + beta_.template value<T>()[c];
      });
    });
    if (pass.tape != nullptr) pass.tape->save(x[0]);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape, Wanted) const override {
    const Tensor<D> x = tape.take();
    Tensor<D> dx = context.make(x.shape(), x.dtype());
    dispatch<D>(dy.dtype(), [&]<class T>() {
      each(x.shape(), [&](Index n, Index h, Index w, Index c) {
        const T d = dy.template view<const T>()(n, h, w, c);
        dx.template view<T>()(n, h, w, c) = gamma_.template value<T>()[c] * d;
        gamma_.template gradient<T>()[c] += d * x.template view<const T>()(n, h, w, c);
        beta_.template gradient<T>()[c] += d;
      });
    });
    return {dx};
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override { return "Line"; }
  std::optional<AffineView<D>> as_affine() const override { return AffineView<D>{gamma_, beta_, {}, {}}; }

 private:
  template <class Body>
  static void each(const Shape& s, const Body& body) {
    for (Index n = 0; n < s.n; ++n)
      for (Index h = 0; h < s.h; ++h)
        for (Index w = 0; w < s.w; ++w)
          for (Index c = 0; c < s.c; ++c) body(n, h, w, c);
  }
  Index channels_;
  Parameter<D> gamma_, beta_;
};
struct Line : Leaf<Line> {
  static constexpr std::string_view role = "line";
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<LineLayer<D>>(in[0].channels);
  }
};

/// An activation of one's own that is known under another name, and a layer that trains only.
struct Leak : ActivationLeaf<Leak> {
  static constexpr std::string_view role = "leak";
  static constexpr auto function() { return ops::LeakyRelu{0.3f}; }
};
/// A functor that no convolution knows: a layer like any other, left as a step of its own.
struct Square {
  template <class T>
  T operator()(T x) const {
    return x * x;
  }
  template <class T>
  T slope_at(T x) const {
    return 2 * x;
  }
};
struct Squared : ActivationLeaf<Squared> {
  static constexpr std::string_view role = "squared";
  static constexpr auto function() { return Square{}; }
};

template <class D>
class PassingLayer final : public Layer<D> {
 public:
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    if (pass.mode == Mode::inference) ++runs;
    dispatch<D>(y.dtype(),
                [&]<class T>() { ops::copy<T>(context, x[0].template view<const T>(), y.template view<T>()); });
  }
  std::vector<Tensor<D>> backward(Context<D>&, const Tensor<D>& dy, Tape<D>&, Wanted) const override { return {dy}; }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override { return "Passing"; }
  bool is_identity_in_inference() const override { return true; }
  static inline int runs = 0;
};
struct Passing : Leaf<Passing> {
  static constexpr std::string_view role = "passing";
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<PassingLayer<D>>();
  }
};

/// A 1x1 convolution without a bias, as a layer of its own.
template <class D>
class MixLayer final : public Layer<D> {
 public:
  MixLayer(Index in, Index out) : in_(in), out_(out) {}
  Shape output_shape(std::span<const Shape> in) const override { return problem(in[0], out_).small; }
  void bind(Binder<D>& binder) override {
    weight_ = binder.parameter("weight", {out_, 1, 1, in_}, Init::of<HeNormal>(in_));
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>&) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::conv2d<T>(context, problem(x[0].shape(), out_), x[0].template view<const T>(), weight_.template factors<T>(),
                     {}, y.template view<T>());
    });
  }
  std::vector<Tensor<D>> backward(Context<D>&, const Tensor<D>&, Tape<D>&, Wanted) const override { return {}; }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override { return "Mix"; }
  std::optional<ConvolutionView<D>> as_convolution() const override {
    return ConvolutionView<D>{[out = out_](const Shape& x) { return problem(x, out); }, weight_, {}, out_};
  }

 private:
  static ops::Conv2dProblem problem(const Shape& x, Index out) { return ops::same_convolution(x, out, 1, 1); }
  Index in_, out_;
  Parameter<D> weight_;
};
template <int Filters>
struct Mix : Leaf<Mix<Filters>> {
  static constexpr std::string_view role = "mix";
  static constexpr int channels(std::span<const Slot>) { return Filters; }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<MixLayer<D>>(in[0].channels, Filters);
  }
};

/// The steps of the fused network, which must give what the network gives.
template <Spec S>
std::size_t fused_steps() {
  Context<Cpu> context({.threads = 1, .seed = 5});
  Network<S, 3, Cpu> net(context, DType::f64);
  Tensor<Cpu>& values = net.parameters()->values();
  testing::fill_random(values, 7);
  auto x = context.make({2, 6, 5, 3}, DType::f64);
  testing::fill_random(x, 3);
  const auto fused = for_inference(net);
  const auto wanted = net.forward(x), found = fused.forward(context, x);
  double worst = 0;
  for (Index i = 0; i < wanted.shape().count(); ++i)
    worst = std::max(
        worst, std::abs(wanted.template view<const double>().data[i] - found.template view<const double>().data[i]));
  CHECK(worst < 1e-12);
  return fused.program.steps().size();
}

}  // namespace

TEST_CASE("a line of one's own has right gradients, by the shipped check") {
  Context<Cpu> context({.threads = 1, .seed = 5});
  Network<Sequential<Conv<4, 3>, Line, Leak, Squared>, 3, Cpu> net(context, DType::f64);
  CHECK(testing::worst_gradient_error(net, {2, 4, 3, 3}) < 1e-7);
}

TEST_CASE("layers of one's own fuse by what they say of themselves") {
  CHECK(fused_steps<Sequential<Conv<4, 3>, Line, Leak>>() == 1);
  CHECK(fused_steps<Sequential<Conv<4, 3>, Line, Passing, Elu>>() == 1);
  CHECK(fused_steps<Sequential<Mix<4>, Line, Gelu, Residual<Mix<4>, Line>, Leak>>() == 2);
  CHECK(fused_steps<Sequential<Conv<4, 3>, Squared, Line>>() == 3);
  CHECK(PassingLayer<Cpu>::runs == 1);  // by the network itself, not by the fused one
}

TEST_CASE("the training pass takes an activation in where the layer before it can") {
  Context<Cpu> context({.threads = 1, .seed = 5});
  Network<Sequential<Conv<4, 3>, BatchNorm, Gelu, Residual<Conv<4, 3>, GroupNorm<2>, Leak>, Elu>, 3, Cpu> net(
      context, DType::f64);
  const auto steps = [&](const auto& program) {
    std::string all;
    for (const auto& step : program.steps()) all += step.layer->describe() + "; ";
    return all;
  };
  const Program<Cpu> program = for_training(net.program());
  CHECK(steps(program) == "Conv 3x3; BatchNorm + act; Conv 3x3; GroupNorm 2 + act; Add + act; ");
  auto x = context.make({2, 6, 5, 3}, DType::f64);
  testing::fill_random(x, 3);
  Tape<Cpu> tape, own;
  const auto wanted = net.forward(x, {.mode = Mode::training, .tape = &own, .input_gradient = true});
  Workspace<Cpu> workspace;
  const Tensor<Cpu> found =
      program.forward(context, workspace, x, {.mode = Mode::training, .tape = &tape, .input_gradient = true}).front();
  net.zero_gradients();
  const auto dx = net.backward(wanted, own), fused_dx = program.backward(context, std::span(&found, 1), tape);
  double worst = 0;
  for (Index i = 0; i < dx.shape().count(); ++i)
    worst = std::max(worst, std::abs(dx.view<const double>().data[i] - fused_dx.view<const double>().data[i]));
  for (Index i = 0; i < wanted.shape().count(); ++i)
    worst = std::max(worst, std::abs(wanted.view<const double>().data[i] - found.view<const double>().data[i]));
  CHECK(worst < 1e-11);
}
