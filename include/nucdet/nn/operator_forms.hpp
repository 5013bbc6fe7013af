#pragma once
#include <algorithm>
#include <functional>
#include <iterator>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/nn/fusion.hpp"
#include "nucdet/nn/operators.hpp"
#include "nucdet/ops/activation_functors.hpp"
#include "nucdet/ops/conv2d_problem.hpp"

/// The forms that several layers share, as ONNX's operators.
namespace nucdet::nn {

/// A convolution, or a transposed one, by any rule from size to size; the weights lie as ops::Conv2dProblem has them.
/// bias: none, or one a channel that comes out. Returns the output's name.
std::string write_convolution(OperatorGraph& graph, const std::function<ops::Conv2dProblem(const Shape&)>& problem,
                              bool transposed, const std::vector<float>& weight, std::vector<float> bias,
                              const OperatorInput& x);

/// What a layer tells the passes of itself, likewise.
template <class D>
std::string write_convolution(OperatorGraph& graph, const ConvolutionView<D>& conv, Context<D>& context,
                              const OperatorInput& x) {
  return write_convolution(graph, conv.problem, conv.transposed, numbers_of(context, conv.weight),
                           numbers_of(context, conv.bias), x);
}

/// x at the height and width of the map `like`, as ops::match_size: centred, zeros around it or cut off.
std::string write_match(OperatorGraph& graph, const std::string& x, const std::string& like);

/// gamma x + beta, a number a channel of a map; none of both: x.
std::string write_line(OperatorGraph& graph, const std::string& x, std::vector<float> gamma, std::vector<float> beta);

/// x minus its mean, over its deviation, of each channel of the whole batch, then the line of write_line.
std::string write_batch_norm(OperatorGraph& graph, const std::string& x, float epsilon, std::vector<float> gamma,
                             std::vector<float> beta);

// An activation's functor. One of a user's own has a function of this name beside it.
std::string write_activation(OperatorGraph& graph, const ops::Elu& f, const std::string& x);
std::string write_activation(OperatorGraph& graph, const ops::Relu& f, const std::string& x);
std::string write_activation(OperatorGraph& graph, const ops::LeakyRelu& f, const std::string& x);
std::string write_activation(OperatorGraph& graph, const ops::Sigmoid& f, const std::string& x);
std::string write_activation(OperatorGraph& graph, const ops::ScaledSigmoid& f, const std::string& x);
std::string write_activation(OperatorGraph& graph, const ops::Scale& f, const std::string& x);
std::string write_activation(OperatorGraph& graph, const ops::Gelu& f, const std::string& x);
std::string write_activation(OperatorGraph& graph, const ops::Silu& f, const std::string& x);
/// Of none: x.
std::string write_activation(OperatorGraph& graph, const ops::Fused& fused, const std::string& x);

#ifdef NUCDET_INLINE

namespace detail {

using Integers = std::vector<std::int64_t>;

/// A size at which a layer's rule is asked what it makes.
inline constexpr Index kSize = 4096;

/// [outer, taps, inner] -> [outer, inner, taps]: kernels as ONNX has them, which is PyTorch's order.
NUCDET_INLINE std::vector<float> taps_last(const std::vector<float>& kernels, Index outer, Index taps, Index inner) {
  std::vector<float> turned;
  turned.reserve(kernels.size());
  for (Index o = 0; o < outer; ++o)
    for (Index i = 0; i < inner; ++i)
      for (Index t = 0; t < taps; ++t) turned.push_back(kernels[static_cast<std::size_t>((o * taps + t) * inner + i)]);
  return turned;
}

/// Zeros that ONNX's Conv is to add behind an axis so that floor((size + before + behind - extent) / stride) + 1 is our
/// output's size; negative: rows that nothing reads. `out` has our sizes. The sum of floor((n + r + c) / s) over
/// r = 0 .. s - 1 is n + c (Hermite), which gives c = before + behind - extent.
template <class Out>
Index zeros_behind(const Out& out, Index extent, Index stride, Index before) {
  Index sum = 0;
  for (Index r = 0; r < stride; ++r) sum += out(kSize + r) - 1;
  return sum - kSize + extent - before;
}

/// The settings of ConvTranspose, of a problem whose small map is kSize x kSize.
NUCDET_INLINE std::vector<Attribute> transposed_settings(const ops::Conv2dProblem& p, const ops::Axes& extent) {
  const auto more = [](Index large, Index stride, Index reach, Index pad) {
    return large - stride * (kSize - 1) - reach + 2 * pad;
  };
  return {{"pads", Integers{p.pad.y, p.pad.x, p.pad.y, p.pad.x}},
          {"output_padding",
           Integers{more(p.large.h, p.stride.y, extent.y, p.pad.y), more(p.large.w, p.stride.x, extent.x, p.pad.x)}}};
}

}  // namespace detail

NUCDET_INLINE std::string write_convolution(OperatorGraph& graph,
                                            const std::function<ops::Conv2dProblem(const Shape&)>& problem,
                                            bool transposed, const std::vector<float>& weight, std::vector<float> bias,
                                            const OperatorInput& x) {
  using detail::Integers, detail::kSize;
  const auto of_size = [&](Index h, Index w) { return problem({1, h, w, x.channels}); };
  const ops::Conv2dProblem p = of_size(kSize, kSize);
  const ops::Axes extent(p.dilation.y * (p.kernel.y - 1) + 1, p.dilation.x * (p.kernel.x - 1) + 1);
  std::string in = x.name;
  std::vector<Attribute> settings;
  if (transposed) {
    settings = detail::transposed_settings(p, extent);
  } else {
    const auto of_height = [&](Index n) { return of_size(n, kSize).small.h; };
    const auto of_width = [&](Index n) { return of_size(kSize, n).small.w; };
    const Index below = detail::zeros_behind(of_height, extent.y, p.stride.y, p.pad.y),
                right = detail::zeros_behind(of_width, extent.x, p.stride.x, p.pad.x);
    const Integers cut{0, 0, 0, 0, 0, 0, std::min<Index>(below, 0), std::min<Index>(right, 0)};
    if (below < 0 || right < 0) in = graph.add("Pad", {in, graph.integers(cut)});
    settings = {{"pads", Integers{p.pad.y, p.pad.x, std::max<Index>(below, 0), std::max<Index>(right, 0)}}};
  }
  settings.push_back({"kernel_shape", Integers{p.kernel.y, p.kernel.x}});
  settings.push_back({"strides", Integers{p.stride.y, p.stride.x}});
  settings.push_back({"dilations", Integers{p.dilation.y, p.dilation.x}});
  settings.push_back({"group", std::int64_t{p.groups}});
  const std::vector<float> kernels = detail::taps_last(weight, p.small.c, p.kernel.count(), p.group_inputs());
  std::vector<std::string> inputs{
      in, graph.numbers("weight", {p.small.c, p.group_inputs(), p.kernel.y, p.kernel.x}, kernels)};
  const std::int64_t count = std::ssize(bias);
  if (count > 0) inputs.push_back(graph.numbers("bias", {count}, std::move(bias)));
  return graph.add(transposed ? "ConvTranspose" : "Conv", std::move(inputs), std::move(settings));
}

NUCDET_INLINE std::string write_match(OperatorGraph& graph, const std::string& x, const std::string& like) {
  const std::vector<Attribute> height_and_width{{"start", std::int64_t{2}}};
  const std::string wanted = graph.add("Shape", {like}, height_and_width),
                    had = graph.add("Shape", {x}, height_and_width), missing = graph.add("Sub", {wanted, had}),
                    before = graph.add("Div", {missing, graph.integers({2})}),  // towards 0, as ops::rows_before
      behind = graph.add("Sub", {missing, before}), none = graph.integers({0, 0}),
                    pads = graph.add("Concat", {none, before, none, behind}, {{"axis", std::int64_t{0}}});
  return graph.add("Pad", {x, pads});  // negative numbers cut off
}

NUCDET_INLINE std::string write_line(OperatorGraph& graph, const std::string& x, std::vector<float> gamma,
                                     std::vector<float> beta) {
  std::string y = x;
  const std::int64_t factors = std::ssize(gamma), shifts = std::ssize(beta);
  if (factors > 0) y = graph.add("Mul", {y, graph.numbers("weight", {factors, 1, 1}, std::move(gamma))});
  if (shifts > 0) y = graph.add("Add", {y, graph.numbers("bias", {shifts, 1, 1}, std::move(beta))});
  return y;
}

NUCDET_INLINE std::string write_batch_norm(OperatorGraph& graph, const std::string& x, float epsilon,
                                           std::vector<float> gamma, std::vector<float> beta) {
  const std::vector<Attribute> of_channels{{"axes", detail::Integers{0, 2, 3}}};
  const std::string centred = graph.add("Sub", {x, graph.add("ReduceMean", {x}, of_channels)}),
                    variance = graph.add("ReduceMean", {graph.add("Mul", {centred, centred})}, of_channels),
                    deviation = graph.add("Sqrt", {graph.add("Add", {variance, graph.number(epsilon)})});
  return write_line(graph, graph.add("Div", {centred, deviation}), std::move(gamma), std::move(beta));
}

NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::Elu& f, const std::string& x) {
  return graph.add("Elu", {x}, {{"alpha", f.alpha}});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::Relu&, const std::string& x) {
  return graph.add("Relu", {x});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::LeakyRelu& f, const std::string& x) {
  return graph.add("LeakyRelu", {x}, {{"alpha", f.negative_slope}});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::Sigmoid&, const std::string& x) {
  return graph.add("Sigmoid", {x});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::ScaledSigmoid& f, const std::string& x) {
  return graph.add("Mul", {graph.add("Sigmoid", {x}), graph.number(f.scale)});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::Scale& f, const std::string& x) {
  return graph.add("Mul", {x, graph.number(f.factor)});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::Gelu&, const std::string& x) {
  const std::string erf = graph.add("Erf", {graph.add("Mul", {x, graph.number(1 / std::numbers::sqrt2_v<float>)})});
  return graph.add("Mul", {x, graph.add("Mul", {graph.add("Add", {erf, graph.number(1)}), graph.number(0.5f)})});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::Silu&, const std::string& x) {
  return graph.add("Mul", {x, graph.add("Sigmoid", {x})});
}
NUCDET_INLINE std::string write_activation(OperatorGraph& graph, const ops::Fused& fused, const std::string& x) {
  std::string y = x;
  ops::with_activation(fused, [&](const auto& f) { y = write_activation(graph, f, x); });
  return y;
}

#endif

}  // namespace nucdet::nn
