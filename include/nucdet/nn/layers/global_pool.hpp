#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/layers/pool.hpp"
#include "nucdet/ops/global_pool.hpp"

namespace nucdet::nn {

/// The maximum or the mean of all pixels: [N, H, W, C] -> [N, 1, 1, C]. Saves x and y.
template <Pooling Kind, class D>
class GlobalPoolLayer final : public Layer<D> {
 public:
  Shape output_shape(std::span<const Shape> in) const override { return {in[0].n, 1, 1, in[0].c}; }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      if constexpr (Kind == Pooling::maximum)
        ops::global_maximum<T>(context, x[0].template view<const T>(), y.template view<T>());
      else
        ops::global_average<T>(context, x[0].template view<const T>(), y.template view<T>());
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
        ops::global_maximum_gradient<T>(context, x.template view<const T>(), y.template view<const T>(),
                                        dy.template view<const T>(), dx[0].template view<T>());
      else
        ops::global_average_gradient<T>(context, dy.template view<const T>(), dx[0].template view<T>());
    });
    return dx;
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override {
    return Extent::everything(in[0].scale);
  }
  std::string describe() const override { return Kind == Pooling::maximum ? "GlobalMaxPool" : "GlobalAveragePool"; }
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    return graph.add(describe(), {x[0].name});  // ONNX has the same names
  }
};

template <Pooling Kind>
struct GlobalPool : Leaf<GlobalPool<Kind>> {
  static constexpr std::string_view role = "pool";
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<GlobalPoolLayer<Kind, D>>();
  }
};
/// One pixel for the whole image: what it gives depends on all of it, so that such an image is read in one piece.
struct GlobalMaxPool : GlobalPool<Pooling::maximum> {};
struct GlobalAveragePool : GlobalPool<Pooling::average> {};

}  // namespace nucdet::nn
