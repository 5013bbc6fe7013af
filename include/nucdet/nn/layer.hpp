#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

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

/// Calls body.operator()<T>() with the element type: float or double on the CPU, float, bf16 or f16 on a GPU.
template <class Device = Cpu, class Body>
decltype(auto) dispatch(DType type, Body&& body) {
  if constexpr (std::is_same_v<Device, Cpu>) {
    if (type == DType::f64) return body.template operator()<double>();
    if (type != DType::f32) throw ShapeError(message("the CPU computes in f32 and f64, got ", name_of(type)));
  } else {
    if (type == DType::bf16) return body.template operator()<bf16>();
    if (type == DType::f16) return body.template operator()<f16>();
    if (type != DType::f32) throw ShapeError(message("CUDA computes in f32, bf16 and f16, got ", name_of(type)));
  }
  return body.template operator()<float>();
}

/// The type of a network's maps where its input has type `input`: that of the input on the CPU, the context's on a GPU.
inline DType map_type(const Context<Cpu>&, DType input) { return input; }
template <class Device>
DType map_type(const Context<Device>& context, DType) {
  if (context.precision() == Precision::bf16) return DType::bf16;
  return context.precision() == Precision::fp16 ? DType::f16 : DType::f32;
}
/// The type of the statistics and parameters beside maps of type `maps`.
constexpr DType parameter_type(DType maps) { return maps == DType::f64 ? DType::f64 : DType::f32; }

}  // namespace nucdet::nn
