#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/number.hpp"
#include "nucdet/nn/operator_forms.hpp"
#include "nucdet/ops/norm.hpp"

namespace nucdet::nn {

/// Where a normalisation takes its mean and variance from.
enum class Statistics {
  running,   ///< batch norm as usual: the batch's in training, the running ones in inference
  batch,     ///< the batch's always, as in the authors' code (the result then depends on the batch and on the image)
  instance,  ///< each channel's of each image (instance norm)
  group,     ///< those of each group of channels of each image (group norm)
};

/// The numbers of a normalisation layer; epsilon and momentum are PyTorch's by default.
struct NormSettings {
  Index channels = 1;
  Statistics statistics = Statistics::running;
  Index groups = 1;
  bool affine = true;  ///< whether there are gamma and beta
  double epsilon = 1e-5, momentum = 0.1;
};

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel. Saves x, mean and 1 / deviation.
template <class D>
class NormalizationLayer final : public Layer<D> {
 public:
  explicit NormalizationLayer(const NormSettings& settings) : s_(settings) {}

  void bind(Binder<D>& binder) override {
    if (s_.affine) {
      gamma_ = binder.parameter("weight", {s_.channels}, Init::constant(1));
      beta_ = binder.parameter("bias", {s_.channels}, Init::constant(0));
    }
    if (!has_running()) return;
    mean_ = binder.statistic("running_mean", {s_.channels}, 0);
    variance_ = binder.statistic("running_var", {s_.channels}, 1);
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    forward_with(context, x, y, pass, ops::Same{});
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    return backward_with(context, dy, tape, wanted, ops::Same{});
  }

  /// The two passes with an activation f behind the normalisation, whose input is then never stored.
  template <class F>
  void forward_with(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass, const F& f) const {
    const Index groups = by_image() ? x[0].shape().n : 1;
    Tensor<D> mean = context.make({groups, 1, 1, s_.channels}, parameter_type(y.dtype())),
              inverse = context.make(mean.shape(), mean.dtype());
    const bool running = uses_running(pass.mode);
    dispatch<D>(y.dtype(), [&]<class T>() {
      using C = compute_t<T>;
      C* const m = mean.template view<C>().data;
      C* const r = inverse.template view<C>().data;
      const auto in = x[0].template view<const T>();
      if (running)
        ops::running_statistics<C>(context, s_.channels, mean_.template value<C>(), variance_.template value<C>(),
                                   s_.epsilon, m, r);
      else if (s_.statistics == Statistics::group)
        ops::group_statistics<T>(context, in, s_.groups, s_.epsilon, m, r);
      else
        take_statistics<T>(context, in, groups, m, r, pass);
      ops::normalize<T>(context, in, groups, m, r, gammas<C>(), betas<C>(), y.template view<T>(), f);
    });
    if (pass.tape == nullptr) return;
    pass.tape->save(x[0]), pass.tape->save(mean), pass.tape->save(inverse);
    pass.tape->save_number(running ? 1 : 0);
  }
  template <class F>
  std::vector<Tensor<D>> backward_with(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape, Wanted wanted,
                                       const F& f) const {
    const bool running = tape.take_number() != 0;
    const Tensor<D> inverse = tape.take(), mean = tape.take(), x = tape.take();
    std::vector<Tensor<D>> dx;
    if (wanted.inputs) dx.push_back(context.make(x.shape(), x.dtype()));
    dispatch<D>(dy.dtype(), [&]<class T>() {
      using C = compute_t<T>;
      const bool train = s_.affine && wanted.parameters;
      ops::normalize_gradient<T>(context, x.template view<const T>(), dy.template view<const T>(), mean.shape().n,
                                 mean.template view<const C>().data, inverse.template view<const C>().data, gammas<C>(),
                                 betas<C>(), !running, wanted.inputs ? dx[0].template view<T>() : View<T>(),
                                 train ? gamma_.template gradient<C>() : nullptr,
                                 train ? beta_.template gradient<C>() : nullptr, f,
                                 s_.statistics == Statistics::group ? s_.groups : 0, running ? nullptr : others(&tape));
    });
    return dx;
  }
  /// Statistics of the map itself mix all of its pixels.
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override {
    return s_.statistics == Statistics::running ? Extent::in_place(in) : Extent::everything(in[0].scale);
  }
  bool ignores_bias(Mode mode) const override { return s_.statistics != Statistics::group && !uses_running(mode); }
  std::string describe() const override {
    switch (s_.statistics) {
      case Statistics::running:
        return "BatchNorm";
      case Statistics::batch:
        return "BatchStats";
      case Statistics::instance:
        return "InstanceNorm";
      case Statistics::group:
        return message("GroupNorm ", s_.groups);
    }
    return "Normalization";
  }
  std::string write(Context<D>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override;
  std::optional<AffineView<D>> as_affine() const override {
    if (s_.statistics != Statistics::running) return std::nullopt;
    return AffineView<D>{gamma_, beta_, mean_, variance_, s_.epsilon};
  }
  std::shared_ptr<const Layer<D>> with_activation(const ops::Fused& f) const override;

 private:
  bool by_image() const { return s_.statistics == Statistics::instance || s_.statistics == Statistics::group; }
  bool has_running() const { return !by_image(); }
  bool uses_running(Mode mode) const { return s_.statistics == Statistics::running && mode == Mode::inference; }

  template <class C>
  const C* gammas() const {
    return s_.affine ? gamma_.template value<C>() : nullptr;
  }
  template <class C>
  const C* betas() const {
    return s_.affine ? beta_.template value<C>() : nullptr;
  }
  /// Who else's batches the statistics are of.
  Ranks* others(const Tape<D>* tape) const {
    return tape != nullptr && tape->joint_statistics && has_running() ? tape->ranks : nullptr;
  }
  /// Training also moves the running statistics towards the batch's (the unbiased variance, as PyTorch).
  template <class T, class C = compute_t<T>>
  void take_statistics(Context<D>& context, View<const T> x, Index groups, C* mean, C* inverse,
                       const Pass<D>& pass) const {
    const DeviceArray<C, D> variance(context, static_cast<std::size_t>(groups * s_.channels));
    ops::norm_statistics<T>(context, x, groups, s_.epsilon, mean, inverse, variance.data());
    Ranks* const ranks = others(pass.tape);
    if (ranks != nullptr)
      ops::join_statistics<C>(context, *ranks, s_.channels, s_.epsilon, mean, inverse, variance.data());
    if (pass.mode != Mode::training || !has_running()) return;
    const double pixels = static_cast<double>(x.shape.pixels() * (ranks != nullptr ? ranks->count() : 1));
    ops::update_running<C>(context, s_.channels, pixels, s_.momentum, mean, variance.data(), mean_.template value<C>(),
                           variance_.template value<C>());
  }

  NormSettings s_;
  Parameter<D> gamma_, beta_, mean_, variance_;
};

/// A normalisation and the activation behind it: one pass for the statistics, one for the rest. The slope is computed
/// again in the backward pass. Parameters are the normalisation's.
template <class D>
class NormActivationLayer final : public Layer<D> {
 public:
  NormActivationLayer(const NormalizationLayer<D>& norm, const ops::Fused& activation)
      : norm_(norm), activation_(activation) {}

  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    ops::with_activation(activation_, [&](const auto& f) { norm_.forward_with(context, x, y, pass, f); });
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    std::vector<Tensor<D>> dx;
    ops::with_activation(activation_, [&](const auto& f) { dx = norm_.backward_with(context, dy, tape, wanted, f); });
    return dx;
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape> shapes) const override {
    return norm_.extent(in, shapes);
  }
  bool ignores_bias(Mode mode) const override { return norm_.ignores_bias(mode); }
  std::string describe() const override { return norm_.describe() + " + act"; }

 private:
  NormalizationLayer<D> norm_;
  ops::Fused activation_;
};

template <class D>
std::shared_ptr<const Layer<D>> NormalizationLayer<D>::with_activation(const ops::Fused& f) const {
  return std::make_shared<NormActivationLayer<D>>(*this, f);
}

template <class D>
std::string NormalizationLayer<D>::write(Context<D>& context, OperatorGraph& graph,
                                         std::span<const OperatorInput> x) const {
  const std::int64_t channels = s_.channels, groups = s_.groups;
  const float epsilon = static_cast<float>(s_.epsilon);
  const std::vector<Attribute> settings{{"epsilon", epsilon}};
  std::vector<float> gamma = numbers_of(context, gamma_), beta = numbers_of(context, beta_);
  if (s_.statistics == Statistics::batch) return write_batch_norm(graph, x[0].name, epsilon, gamma, beta);
  if (s_.statistics == Statistics::group) {
    // Groups as channels of one line each.
    const std::string lines = graph.add("Reshape", {x[0].name, graph.integers({0, groups, -1})}),
                      one = graph.numbers("one", {groups}, std::vector<float>(static_cast<std::size_t>(groups), 1)),
                      none = graph.numbers("none", {groups}, std::vector<float>(static_cast<std::size_t>(groups), 0)),
                      normal = graph.add("InstanceNormalization", {lines, one, none}, settings),
                      back = graph.add("Reshape", {normal, graph.add("Shape", {x[0].name})});
    return write_line(graph, back, gamma, beta);
  }
  if (gamma.empty()) gamma.assign(static_cast<std::size_t>(channels), 1);
  if (beta.empty()) beta.assign(static_cast<std::size_t>(channels), 0);
  std::vector<std::string> inputs{x[0].name, graph.numbers("weight", {channels}, gamma),
                                  graph.numbers("bias", {channels}, beta)};
  if (s_.statistics == Statistics::instance) return graph.add("InstanceNormalization", inputs, settings);
  inputs.push_back(graph.numbers("running_mean", {channels}, numbers_of(context, mean_)));
  inputs.push_back(graph.numbers("running_var", {channels}, numbers_of(context, variance_)));
  return graph.add("BatchNormalization", inputs, settings);
}

/// The choices of a normalisation.
struct NormOptions {
  Number epsilon = 1e-5;  ///< added to the variance
  Number momentum = 0.1;  ///< how far running statistics move towards a batch's
  bool affine = true;     ///< whether there are gamma and beta; not by default for the instance's statistics
};

/// Normalisation with the statistics named; BatchNorm is the usual one. Groups: of channels, for Statistics::group.
template <Statistics S, NormOptions O = NormOptions{.affine = S != Statistics::instance}, int Groups = 1>
struct Normalization : Leaf<Normalization<S, O, Groups>> {
  static constexpr std::string_view role = "norm";
  static constexpr Diagnosis check(std::span<const Slot> in) {
    if (Groups < 1 || in[0].channels % Groups != 0)
      return {.problem = Problem::unequal_groups, .expected = Groups, .got = in[0].channels};
    const bool good = O.epsilon.value() >= 0 && O.momentum.value() >= 0 && O.momentum.value() <= 1;
    return {good ? Problem::none : Problem::bad_setting};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<NormalizationLayer<D>>(
        NormSettings{in[0].channels, S, Groups, O.affine, O.epsilon.value(), O.momentum.value()});
  }
};
struct BatchNorm : Normalization<Statistics::running> {};
struct BatchStats : Normalization<Statistics::batch> {};
struct InstanceNorm : Normalization<Statistics::instance> {};
/// Group norm [Wu and He 2018]: mean and variance of each of `Groups` equal groups of channels, image by image.
template <int Groups, NormOptions O = NormOptions{}>
struct GroupNorm : Normalization<Statistics::group, O, Groups> {};

}  // namespace nucdet::nn
