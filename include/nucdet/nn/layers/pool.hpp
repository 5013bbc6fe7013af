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
  PoolLayer(Index window, Index stride) : window_(window), stride_(stride) {}

  Shape output_shape(std::span<const Shape> in) const override {
    const Shape& x = in[0];
    if (x.h < window_ || x.w < window_)
      throw ShapeError(message(describe(), ": input ", x, " is smaller than the window"));
    return {x.n, (x.h - window_) / stride_ + 1, (x.w - window_) / stride_ + 1, x.c};
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
    return {in[0].scale * static_cast<double>(stride_), in[0].low,
            in[0].high + in[0].scale * static_cast<double>(window_ - 1)};
  }
  std::string describe() const override {
    return message(Kind == Pooling::maximum ? "MaxPool " : "AveragePool ", window_, ", stride ", stride_);
  }

 private:
  Index window_, stride_;
};

template <Pooling Kind, int Window, int Stride>
struct Pool : Leaf<Pool<Kind, Window, Stride>> {
  static constexpr std::string_view role = "pool";
  static constexpr Diagnosis check(std::span<const Slot>) {
    return {Window >= 1 && Stride >= 1 ? Problem::none : Problem::bad_setting};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<PoolLayer<Kind, D>>(Window, Stride);
  }
};
template <int Window, int Stride = Window>
struct MaxPool : Pool<Pooling::maximum, Window, Stride> {};
template <int Window, int Stride = Window>
struct AveragePool : Pool<Pooling::average, Window, Stride> {};

}  // namespace nucdet::nn
