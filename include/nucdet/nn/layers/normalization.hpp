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
    const Index groups = statistics_ == Statistics::instance ? x[0].shape().n : 1;
    Tensor<D> mean = context.make({groups, 1, 1, channels_}, y.dtype()),
              inverse = context.make(mean.shape(), y.dtype());
    const bool running = uses_running(pass.mode);
    dispatch(y.dtype(), [&]<class T>() {
      T* const m = mean.template view<T>().data;
      T* const r = inverse.template view<T>().data;
      const auto in = x[0].template view<const T>();
      if (running)
        read_running(m, r);
      else
        take_statistics(context, in, groups, m, r, pass.mode == Mode::training);
      const bool affine = statistics_ != Statistics::instance;
      ops::normalize<T>(context, in, groups, m, r, affine ? gamma_.template value<T>() : nullptr,
                        affine ? beta_.template value<T>() : nullptr, y.template view<T>());
    });
    if (pass.tape == nullptr) return;
    pass.tape->save(x[0]), pass.tape->save(mean), pass.tape->save(inverse);
    pass.tape->save_number(running ? 1 : 0);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const bool running = tape.take_number() != 0;
    const Tensor<D> inverse = tape.take(), mean = tape.take(), x = tape.take();
    std::vector<Tensor<D>> dx;
    if (wanted.inputs) dx.push_back(context.make(x.shape(), x.dtype()));
    dispatch(dy.dtype(), [&]<class T>() {
      const bool affine = statistics_ != Statistics::instance, train = affine && wanted.parameters;
      ops::normalize_gradient<T>(
          context, x.template view<const T>(), dy.template view<const T>(), mean.shape().n,
          mean.template view<const T>().data, inverse.template view<const T>().data,
          affine ? gamma_.template value<T>() : nullptr, !running, wanted.inputs ? dx[0].template view<T>() : View<T>(),
          train ? gamma_.template gradient<T>() : nullptr, train ? beta_.template gradient<T>() : nullptr);
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

  template <class T>
  void read_running(T* mean, T* inverse) const {
    const T *m = mean_.template value<T>(), *v = variance_.template value<T>();
    for (Index c = 0; c < channels_; ++c)
      mean[c] = m[c], inverse[c] = T(1) / std::sqrt(v[c] + static_cast<T>(kEpsilon));
  }
  /// Training also moves the running statistics towards the batch's (the unbiased variance, as PyTorch).
  template <class T>
  void take_statistics(Context<D>& context, View<const T> x, Index groups, T* mean, T* inverse, bool update) const {
    std::vector<T> variance(static_cast<std::size_t>(groups * channels_));
    ops::norm_statistics<T>(context, x, groups, kEpsilon, mean, inverse, variance.data());
    if (!update || statistics_ == Statistics::instance) return;
    const double count = static_cast<double>(x.shape.pixels()), unbiased = count > 1 ? count / (count - 1) : 1.0;
    T *m = mean_.template value<T>(), *v = variance_.template value<T>();
    for (Index c = 0; c < channels_; ++c) {
      m[c] += static_cast<T>(kMomentum * (static_cast<double>(mean[c]) - static_cast<double>(m[c])));
      const double fresh = unbiased * static_cast<double>(variance[static_cast<std::size_t>(c)]);
      v[c] += static_cast<T>(kMomentum * (fresh - static_cast<double>(v[c])));
    }
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
