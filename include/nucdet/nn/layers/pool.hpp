#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/pool.hpp"

namespace nucdet::nn {

enum class Pooling { maximum, average };

/// The maximum or the mean of each window; size floor((size - window) / stride) + 1. Maximum saves x and y.
template <Pooling Kind, class D>
class PoolLayer final : public Layer<D> {
 public:
  PoolLayer(ops::Axes window, ops::Axes stride) : window_(window), stride_(stride) {}

  Shape output_shape(std::span<const Shape> in) const override {
    const Shape& x = in[0];
    if (x.h < window_.y || x.w < window_.x)
      throw ShapeError(message(describe(), ": input ", x, " is smaller than the window"));
    return {x.n, (x.h - window_.y) / stride_.y + 1, (x.w - window_.x) / stride_.x + 1, x.c};
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      if constexpr (Kind == Pooling::maximum)
        ops::max_pool<T>(context, x[0].template view<const T>(), window_, stride_, y.template view<T>());
      else
        ops::average_pool<T>(context, x[0].template view<const T>(), window_, stride_, y.template view<T>());
    });
    if (pass.tape != nullptr) pass.tape->save(x[0]), pass.tape->save(y);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> y = tape.take(), x = tape.take();
    std::vector<Tensor<D>> dx;
    if (!wanted.inputs) return dx;
    dx.push_back(context.make(x.shape(), x.dtype()));
    dispatch<D>(dy.dtype(), [&]<class T>() {
      if constexpr (Kind == Pooling::maximum)
        ops::max_pool_gradient<T>(context, x.template view<const T>(), y.template view<const T>(),
                                  dy.template view<const T>(), window_, stride_, dx[0].template view<T>());
      else
        ops::average_pool_gradient<T>(context, dy.template view<const T>(), window_, stride_, dx[0].template view<T>());
    });
    return dx;
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override {
    return {in[0].scale * static_cast<double>(std::lcm(stride_.y, stride_.x)), in[0].low,
            in[0].high + in[0].scale * static_cast<double>(std::max(window_.y, window_.x) - 1),
            in[0].even && stride_.y == stride_.x};
  }
  std::string describe() const override {
    return message(Kind == Pooling::maximum ? "MaxPool " : "AveragePool ", window_, ", stride ", stride_);
  }
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    using Sizes = std::vector<std::int64_t>;
    return graph.add(Kind == Pooling::maximum ? "MaxPool" : "AveragePool", {x[0].name},
                     {{"kernel_shape", Sizes{window_.y, window_.x}}, {"strides", Sizes{stride_.y, stride_.x}}});
  }

 private:
  ops::Axes window_, stride_;
};

/// Stride "as large as the window".
inline constexpr Index kWindow = 0;

/// The choices of a pooling besides its window.
struct PoolOptions {
  ops::Axes stride = kWindow;
};

template <Pooling Kind, ops::Axes Window, PoolOptions O = PoolOptions{}>
struct Pool : Leaf<Pool<Kind, Window, O>> {
  static constexpr std::string_view role = "pool";
  static constexpr ops::Axes stride = O.stride == kWindow ? Window : O.stride;
  static constexpr Diagnosis check(std::span<const Slot>) {
    const bool good = Window.y >= 1 && Window.x >= 1 && stride.y >= 1 && stride.x >= 1;
    return {good ? Problem::none : Problem::bad_setting};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<PoolLayer<Kind, D>>(Window, stride);
  }
};
template <ops::Axes Window, PoolOptions O = PoolOptions{}>
struct MaxPool : Pool<Pooling::maximum, Window, O> {};
template <ops::Axes Window, PoolOptions O = PoolOptions{}>
struct AveragePool : Pool<Pooling::average, Window, O> {};

}  // namespace nucdet::nn
