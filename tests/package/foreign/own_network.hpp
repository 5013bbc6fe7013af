#pragma once
// A network of one's own, with layers of one's own: dilated residual blocks, a gate, a layer that divides each image by
// its largest value, and two heads.
#include <algorithm>
#include <cmath>

#include <nucdet/nets/gates.hpp>
#include <nucdet/nn/layers.hpp>
#include <nucdet/nn/network.hpp>

namespace own {

using namespace nucdet;

// [layer]
/// y = x / (1 + max |x| of the image): it looks at the whole map, and says so.
template <class D>
class PeakNormLayer final : public nn::Layer<D> {
 public:
  void forward(Context<D>& context, nn::Inputs<D> x, Tensor<D>& y, const nn::Pass<D>& pass) const override {
    nn::dispatch<D>(y.dtype(), [&]<class T>() { run<T>(context, x[0], x[0], y); });
    if (pass.tape != nullptr) pass.tape->save(x[0]);
  }
  /// The divisor counts as a constant.
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, nn::Tape<D>& tape,
                                  nn::Wanted wanted) const override {
    const Tensor<D> x = tape.take();
    if (!wanted.inputs) return {};
    std::vector<Tensor<D>> dx{context.make(x.shape(), x.dtype())};
    nn::dispatch<D>(x.dtype(), [&]<class T>() { run<T>(context, x, dy, dx[0]); });
    return dx;
  }
  nn::Extent extent(std::span<const nn::Extent> in, std::span<const Shape>) const override {
    return nn::Extent::everything(in[0].scale);
  }
  std::string describe() const override { return "PeakNorm"; }

 private:
  template <class T>
  static void run(Context<D>& context, const Tensor<D>& measured, const Tensor<D>& scaled, Tensor<D>& out) {
    const View<const T> of = measured.template view<const T>(), x = scaled.template view<const T>();
    const View<T> y = out.template view<T>();
    context.run(x.shape.n, [&](Index n, int) {
      T largest = 0;
      for (Index i = 0; i < of.shape.h; ++i)
        for (Index j = 0; j < of.shape.w; ++j)
          for (Index c = 0; c < of.shape.c; ++c) largest = std::max(largest, static_cast<T>(std::abs(of(n, i, j, c))));
      for (Index i = 0; i < x.shape.h; ++i)
        for (Index j = 0; j < x.shape.w; ++j)
          for (Index c = 0; c < x.shape.c; ++c) y(n, i, j, c) = x(n, i, j, c) / (1 + largest);
    });
  }
};
struct PeakNorm : nn::Leaf<PeakNorm> {
  static constexpr std::string_view role = "peak_norm";
  template <class D>
  static std::unique_ptr<nn::Layer<D>> make(std::span<const nn::Slot>) {
    return std::make_unique<PeakNormLayer<D>>();
  }
};
// [layer]

// [block]
template <int Filters>
struct DilatedBlock
    : nn::Residual<nn::Conv<Filters, 3, nn::ConvOptions{.dilation = 2}>, nn::BatchNorm, nn::Elu, nn::Conv<Filters, 1>> {
};
// [block]

/// Maps for tiles: nothing in it looks at the whole image.
struct Gated : nn::Graph<nn::Node<"stem", nn::Sequential<nn::Conv<8, 3>, nn::BatchNorm, nn::Elu, DilatedBlock<8>>>,
                         nn::Node<"deep", nn::Sequential<nn::Conv<8, 3, nn::ConvOptions{.stride = 2}>, nn::Elu>>,
                         nn::Node<"gate", nn::AttentionGate<4>, nn::From<"stem", "deep">>,
                         nn::Output<"map", nn::Conv<1, 1>, nn::From<"gate">>,
                         nn::Output<"classes", nn::Conv<2, 1>, nn::From<"gate">>> {
  using head = nn::Joint<nn::Proximity, nn::Classes<"round", "long">>;
};
struct Global
    : nn::Graph<nn::Node<"stem", nn::Conv<4, 3>>, nn::Node<"norm", PeakNorm>, nn::Output<"map", nn::Conv<1, 1>>> {
  using head = nn::Proximity;
};

/// What the file of the headers alone finds: the name of its context's kernels.
const char* kernels_of_headers();
/// And how many nuclei it finds with a network of its own instance.
std::size_t found_by_headers();

}  // namespace own
