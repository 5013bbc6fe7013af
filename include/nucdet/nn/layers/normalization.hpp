#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/norm.hpp"

namespace nucdet::nn {

/// Where a normalisation takes its mean and variance from.
enum class Statistics {
  running,   ///< batch norm as usual: the batch's in training, the running ones in inference
  batch,     ///< the batch's always, as in the authors' code (the result then depends on the batch and on the tile)
  instance,  ///< each image's own, without gamma and beta (instance norm)
};

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel. Saves x, mean and 1 / deviation.
template <class D>
class NormalizationLayer final : public Layer<D> {
 public:
  static constexpr double kEpsilon = 1e-5, kMomentum = 0.1;  // PyTorch's

  NormalizationLayer(Index channels, Statistics statistics) : channels_(channels), statistics_(statistics) {}

  Statistics statistics() const { return statistics_; }
  const Parameter<D>& gamma() const { return gamma_; }
  const Parameter<D>& beta() const { return beta_; }
  const Parameter<D>& running_mean() const { return mean_; }
  const Parameter<D>& running_variance() const { return variance_; }

  void bind(Binder<D>& binder) override {
    if (statistics_ == Statistics::instance) return;
    gamma_ = binder.parameter("weight", {channels_}, Init::constant(1));
    beta_ = binder.parameter("bias", {channels_}, Init::constant(0));
    mean_ = binder.statistic("running_mean", {channels_}, 0);
    variance_ = binder.statistic("running_var", {channels_}, 1);
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    forward_with(context, x, y, pass, ops::detail::Same{});
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    return backward_with(context, dy, tape, wanted, ops::detail::Same{});
  }

  /// The two passes with an activation f behind the normalisation, whose input is then never stored.
  template <class F>
  void forward_with(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass, const F& f) const {
    const Index groups = statistics_ == Statistics::instance ? x[0].shape().n : 1;
    Tensor<D> mean = context.make({groups, 1, 1, channels_}, parameter_type(y.dtype())),
              inverse = context.make(mean.shape(), mean.dtype());
    const bool running = uses_running(pass.mode);
    dispatch<D>(y.dtype(), [&]<class T>() {
      using C = compute_t<T>;
      C* const m = mean.template view<C>().data;
      C* const r = inverse.template view<C>().data;
      const auto in = x[0].template view<const T>();
      if (running)
        ops::running_statistics<C>(context, channels_, mean_.template value<C>(), variance_.template value<C>(),
                                   kEpsilon, m, r);
      else
        take_statistics<T>(context, in, groups, m, r, pass.mode == Mode::training);
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
      const bool train = affine() && wanted.parameters;
      ops::normalize_gradient<T>(context, x.template view<const T>(), dy.template view<const T>(), mean.shape().n,
                                 mean.template view<const C>().data, inverse.template view<const C>().data, gammas<C>(),
                                 betas<C>(), !running, wanted.inputs ? dx[0].template view<T>() : View<T>(),
                                 train ? gamma_.template gradient<C>() : nullptr,
                                 train ? beta_.template gradient<C>() : nullptr, f);
    });
    return dx;
  }
  std::string describe() const override {
    return statistics_ == Statistics::instance ? "InstanceNorm"
           : statistics_ == Statistics::batch  ? "BatchStats"
                                               : "BatchNorm";
  }

 private:
  bool uses_running(Mode mode) const { return statistics_ == Statistics::running && mode == Mode::inference; }

  bool affine() const { return statistics_ != Statistics::instance; }
  template <class C>
  const C* gammas() const {
    return affine() ? gamma_.template value<C>() : nullptr;
  }
  template <class C>
  const C* betas() const {
    return affine() ? beta_.template value<C>() : nullptr;
  }
  /// Training also moves the running statistics towards the batch's (the unbiased variance, as PyTorch).
  template <class T, class C = compute_t<T>>
  void take_statistics(Context<D>& context, View<const T> x, Index groups, C* mean, C* inverse, bool update) const {
    const DeviceArray<C, D> variance(context, static_cast<std::size_t>(groups * channels_));
    ops::norm_statistics<T>(context, x, groups, kEpsilon, mean, inverse, variance.data());
    if (!update || !affine()) return;
    ops::update_running<C>(context, channels_, static_cast<double>(x.shape.pixels()), kMomentum, mean, variance.data(),
                           mean_.template value<C>(), variance_.template value<C>());
  }

  Index channels_;
  Statistics statistics_;
  Parameter<D> gamma_, beta_, mean_, variance_;
};

/// Normalisation with the statistics named; BatchNorm is the usual one.
template <Statistics S>
struct Normalization : Leaf<Normalization<S>> {
  static constexpr std::string_view role = "norm";
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<NormalizationLayer<D>>(in[0].channels, S);
  }
};
struct BatchNorm : Normalization<Statistics::running> {};
struct BatchStats : Normalization<Statistics::batch> {};
struct InstanceNorm : Normalization<Statistics::instance> {};

}  // namespace nucdet::nn
