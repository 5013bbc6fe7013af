#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/resize.hpp"

namespace nucdet::nn {

enum class Interpolation { nearest, bilinear };

/// x: [N, H, W, C] -> y: [N, factor H, factor W, C]. Bilinear as PyTorch with align_corners = false.
template <Interpolation How, class D>
class UpsampleLayer final : public Layer<D> {
 public:
  explicit UpsampleLayer(Index factor) : factor_(factor) {}

  Shape output_shape(std::span<const Shape> in) const override {
    return {in[0].n, in[0].h * factor_, in[0].w * factor_, in[0].c};
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>&) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      if constexpr (How == Interpolation::nearest)
        ops::upsample_nearest<T>(context, x[0].template view<const T>(), factor_, y.template view<T>());
      else
        ops::upsample_bilinear<T>(context, x[0].template view<const T>(), factor_, y.template view<T>());
    });
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>&, Wanted wanted) const override {
    std::vector<Tensor<D>> dx;
    if (!wanted.inputs) return dx;
    const Shape s = dy.shape();
    dx.push_back(context.make({s.n, s.h / factor_, s.w / factor_, s.c}, dy.dtype()));
    dispatch<D>(dy.dtype(), [&]<class T>() {
      if constexpr (How == Interpolation::nearest)
        ops::upsample_nearest_gradient<T>(context, dy.template view<const T>(), factor_, dx[0].template view<T>());
      else
        ops::upsample_bilinear_gradient<T>(context, dy.template view<const T>(), factor_, dx[0].template view<T>());
    });
    return dx;
  }
  /// Output u = factor q + r has its place at u / factor. Nearest: it reads q. Bilinear: it mixes q - 1 and q where
  /// r + 1/2 < factor / 2, else q and q + 1; the extremes are the last r of the first kind and the first of the second.
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override {
    const double f = static_cast<double>(factor_);
    double before = (f - 1) / f, after = 0;
    if (How == Interpolation::bilinear) {
      before = 1 + static_cast<double>(factor_ / 2 - 1) / f;
      after = 1 - static_cast<double>((factor_ + 1) / 2) / f;
    }
    return {in[0].scale / f, in[0].low - in[0].scale * before, in[0].high + in[0].scale * after, in[0].even};
  }
  std::string describe() const override {
    return message(How == Interpolation::nearest ? "UpsampleNearest " : "UpsampleBilinear ", factor_);
  }
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    const float f = static_cast<float>(factor_);
    const std::string mode = "mode", place = "coordinate_transformation_mode";
    std::vector<Attribute> settings{{mode, std::string("linear")}, {place, std::string("half_pixel")}};
    if (How == Interpolation::nearest)
      settings = {
          {mode, std::string("nearest")}, {place, std::string("asymmetric")}, {"nearest_mode", std::string("floor")}};
    return graph.add("Resize", {x[0].name, "", graph.numbers("scales", {4}, {1, 1, f, f})}, std::move(settings));
  }

 private:
  Index factor_;
};

template <int Factor, Interpolation How = Interpolation::bilinear>
struct Upsample : Leaf<Upsample<Factor, How>> {
  static constexpr std::string_view role = "upsample";
  static constexpr Diagnosis check(std::span<const Slot>) {
    return {Factor >= 1 ? Problem::none : Problem::bad_setting};
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<UpsampleLayer<How, D>>(Factor);
  }
};

}  // namespace nucdet::nn
