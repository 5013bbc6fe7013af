#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nucdet/nn/map_type.hpp"
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
  /// In the device's memory, or null: added to the dropout masks' numbers, so that a captured pass draws new ones.
  const std::uint64_t* draw = nullptr;
};

template <class Device>
using Inputs = std::span<const Tensor<Device>>;

/// The input pixels that an output pixel can depend on, along one axis: pixel i reads [scale i + low, scale i + high].
struct Extent {
  double scale = 1, low = 0, high = 0;
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
  /// Whether input i's pixels matter, or only its size.
  virtual bool reads(std::size_t) const { return true; }
  /// Whether input i, of these shapes, may be written by its producer straight into the output (a concatenation).
  virtual bool can_place(std::span<const Shape>, std::size_t) const { return false; }
  /// The part of y in which input i of size h x w then lies.
  virtual Tensor<Device> place(const Tensor<Device>& y, std::size_t, Index, Index) const { return y; }
  /// Floating point operations of a forward pass; only convolutions count, as the field does.
  virtual Index flops(std::span<const Shape>) const { return 0; }
  virtual Extent extent(std::span<const Extent> in, std::span<const Shape>) const {
    Extent all = in[0];
    for (const Extent& e : in) all.low = std::min(all.low, e.low), all.high = std::max(all.high, e.high);
    return all;
  }
  /// For the summary: "Conv 3x3, stride 2".
  virtual std::string describe() const = 0;
};

}  // namespace nucdet::nn
