#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nucdet/nn/fusion.hpp"
#include "nucdet/nn/map_type.hpp"
#include "nucdet/nn/operators.hpp"
#include "nucdet/nn/parameters.hpp"
#include "nucdet/nn/tape.hpp"

namespace nucdet::nn {

enum class Mode { inference, training };

/// How a forward pass runs. Whether it trains and whether it is taped are two questions: a frozen block is taped in
/// inference mode, and a loss may be watched in training mode without a tape.
template <class Device>
struct Pass {
  Mode mode = Mode::inference;
  Tape<Device>* tape = nullptr;
  std::int64_t iteration = 0;   ///< numbers the dropout masks, with the seed and the step
  bool input_gradient = false;  ///< whether backward must reach the network's input
  std::uint64_t step = 0;       ///< set by Program: the layer's place in the list
  Index top = 0, left = 0;      ///< set by Program, of layers that can crop: where y begins in their output
  /// In the device's memory, or null: added to the dropout masks' numbers, so that a captured pass draws new ones.
  const std::uint64_t* draw = nullptr;
};

template <class Device>
using Inputs = std::span<const Tensor<Device>>;

/// The input pixels that an output pixel can depend on, along one axis: pixel i reads [scale i + low, scale i + high].
struct Extent {
  double scale = 1, low = 0, high = 0;
  bool even = true;  ///< false: the axes have different scales, and `scale` is at least the larger one

  /// Of a layer that mixes the whole map: a mean over all pixels, say.
  static Extent everything(double scale) {
    return {.scale = scale,
            .low = -std::numeric_limits<double>::infinity(),
            .high = std::numeric_limits<double>::infinity()};
  }
  /// Of a layer whose output pixel depends on the pixels in the same place of its inputs.
  static Extent in_place(std::span<const Extent> in) {
    Extent all = in[0];
    for (const Extent& e : in) {
      all.low = std::min(all.low, e.low), all.high = std::max(all.high, e.high);
      all.even = all.even && e.even;
    }
    return all;
  }
};

/// One step of a network. Settings and parameter handles only: activations are on the tape.
template <class Device>
class Layer {
 public:
  virtual ~Layer() = default;
  /// The output's shape. Throws ShapeError if the inputs do not fit.
  virtual Shape output_shape(std::span<const Shape> in) const { return in[0]; }
  /// Declares the parameters.
  virtual void bind(Binder<Device>&) {}
  /// Writes y, whose shape is output_shape(...); y may be a slice of a larger tensor, x too.
  virtual void forward(Context<Device>&, Inputs<Device> x, Tensor<Device>& y, const Pass<Device>&) const = 0;
  /// From the output's gradient: adds to the parameters' gradients, returns the inputs' (or nothing, if not wanted).
  /// The returned tensors may share dy's memory.
  virtual std::vector<Tensor<Device>> backward(Context<Device>&, const Tensor<Device>& dy, Tape<Device>&,
                                               Wanted) const = 0;
  /// Whether y may also be a part of the output, the one that begins at pass.top and pass.left. Where a part of the
  /// network's outputs is wanted, this spares it what it would make of the margins.
  virtual bool can_crop() const { return false; }
  /// Whether input i's pixels matter, or only its size.
  virtual bool reads(std::size_t) const { return true; }
  /// Whether input i, of these shapes, may be written by its producer straight into the output (a concatenation).
  virtual bool can_place(std::span<const Shape>, std::size_t) const { return false; }
  /// The part of y in which input i of size h x w then lies.
  virtual Tensor<Device> place(const Tensor<Device>& y, std::size_t, Index, Index) const { return y; }
  /// Whether y may be the memory of input i, of the same shape, which nobody reads again (a sum).
  virtual bool can_overwrite(std::size_t) const { return false; }
  /// Floating point operations of a forward pass; only convolutions count, as the field does.
  virtual Index flops(std::span<const Shape>) const { return 0; }
  /// How far the layer looks, from how far its inputs look: Extent::in_place(in) if it goes pixel by pixel,
  /// Extent::everything(in[0].scale) if it mixes the map. Tiles get their margins from it: a reach that is too small
  /// gives results that depend on the tile.
  virtual Extent extent(std::span<const Extent> in, std::span<const Shape>) const = 0;
  /// For the summary: "Conv 3x3, stride 2".
  virtual std::string describe() const = 0;
  /// Adds what an inference pass does to a graph of ONNX's operators; returns the output's name. Throws Error by
  /// default: such a network cannot be exported.
  virtual std::string write(Context<Device>&, OperatorGraph&, std::span<const OperatorInput>) const {
    throw Error(message(describe(), ": the layer does not say how it is written in ONNX's operators (Layer::write)"));
  }

  /// Whether its output stays what it is when each channel of its input gets a number added (a normalisation by the
  /// batch). The gradient of a bias before it is then 0, of which sums would give their rounding: noise that Adam takes
  /// for a direction.
  virtual bool ignores_bias(Mode) const { return false; }

  // What the passes may do with it; by default nothing.

  /// In inference a line for each channel: folded into the convolution before it.
  virtual std::optional<AffineView<Device>> as_affine() const { return std::nullopt; }
  /// An activation that the layer before it can apply; Kind::none: it is none.
  virtual ops::Fused as_activation() const { return {}; }
  /// A convolution, which then takes in what follows it.
  virtual std::optional<ConvolutionView<Device>> as_convolution() const { return std::nullopt; }
  /// The sum of its inputs, which have one shape.
  virtual bool is_sum() const { return false; }
  /// The channels of its inputs, if all that it does is to put them side by side at the size of one of them; else none.
  virtual std::vector<Index> as_concatenation() const { return {}; }
  /// In inference its input, unchanged: no step is made of it.
  virtual bool is_identity_in_inference() const { return false; }
  /// For training: this layer with the activation behind it as one layer, or null. It shares the parameters.
  virtual std::shared_ptr<const Layer> with_activation(const ops::Fused&) const { return nullptr; }
};

/// How far a convolution of this geometry looks, or its transpose: along the axis that looks farther.
inline Extent extent_of(const Extent& in, const ops::Conv2dProblem& p, bool transposed) {
  const double pad = static_cast<double>(std::max(p.pad.y, p.pad.x)),
               last = static_cast<double>(
                   std::max(p.dilation.y * (p.kernel.y - 1) - p.pad.y, p.dilation.x * (p.kernel.x - 1) - p.pad.x));
  // Unequal strides: no axis is coarser than the one, nor finer than the other.
  const double stride =
      static_cast<double>(transposed ? std::min(p.stride.y, p.stride.x) : std::lcm(p.stride.y, p.stride.x));
  const bool even = in.even && p.stride.y == p.stride.x;
  if (!transposed) return {in.scale * stride, in.low - in.scale * pad, in.high + in.scale * last, even};
  // Output u reads the inputs i with stride i = u + pad - k: at most one every stride pixels, at both ends.
  const double scale = in.scale / stride;
  return {scale, in.low - scale * last, in.high + scale * pad, even};
}

}  // namespace nucdet::nn
