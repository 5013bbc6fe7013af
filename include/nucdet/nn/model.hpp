#pragma once
#include <cmath>
#include <memory>
#include <string>

#include "nucdet/nn/program.hpp"
#include "nucdet/nn/training_pass.hpp"

namespace nucdet::nn {

/// A network without its type: what trainers, detectors and weight files work on. Made by Network<Spec, InChannels,
/// Device>. Not thread-safe: one model, one context, one thread of control.
template <class Device>
class Model {
 public:
  Context<Device>& context() const { return *context_; }
  Program<Device>& program() { return program_; }
  const Program<Device>& program() const { return program_; }
  const std::shared_ptr<ParameterStore<Device>>& parameters() const { return parameters_; }
  int in_channels() const { return in_channels_; }
  int out_channels() const { return out_channels_; }

  /// x: [N, H, W, in_channels] -> [N, H', W', out_channels].
  Tensor<Device> forward(const Tensor<Device>& x, const Pass<Device>& pass = {}) const {
    parameters_->round_factors(*context_, map_type(*context_, x.dtype()));
    return (pass.tape != nullptr ? taped() : program_).forward(*context_, x, pass);
  }
  /// Adds to the parameters' gradients what `dy`, the gradient of the taped pass's output, makes of them.
  Tensor<Device> backward(const Tensor<Device>& dy, Tape<Device>& tape) const {
    return taped().backward(*context_, dy, tape);
  }
  void zero_gradients() { parameters_->zero_gradients(*context_); }

  Plan plan(const Shape& shape) const { return program_.plan(shape); }

  /// How far, in pixels, an output pixel can see, for inputs of this shape: {before, after} as two positive numbers.
  struct Reach {
    Index before = 0, after = 0;
  };
  Reach receptive_field(const Shape& shape) const;

  /// Input pixels to a pixel of the coarsest map, for inputs of this shape: 16 for MicroNet.
  Index coarsest_stride(const Shape& shape) const;

  /// Freezes or thaws the blocks (top-level nodes) whose name is in `nodes`: their weights and running statistics stay
  /// as they are, and they run as in inference. Throws ArgumentError for a name that no block has.
  void freeze(std::span<const std::string> nodes, bool frozen = true);
  /// How often that was done: whoever keeps something made of what is frozen looks here.
  int freezings() const { return freezings_; }

 protected:
  Model(Context<Device>& context, int in_channels, DType type)
      : context_(&context), parameters_(std::make_shared<ParameterStore<Device>>(type)), in_channels_(in_channels) {}

  void finish(const Slot& output, Start start) {
    out_channels_ = output.channels;
    program_.bind(*parameters_);
    parameters_->allocate(*context_, start);
  }

 private:
  /// What a taped pass runs: made for training on a GPU, the program as it stands on the CPU.
  const Program<Device>& taped() const {
    if constexpr (std::is_same_v<Device, Cpu>) {
      return program_;
    } else {
      if (!training_) training_ = std::make_unique<Program<Device>>(for_training(program_, in_channels_));
      return *training_;
    }
  }
  static bool in_node(const std::string& path, const std::string& node) {
    return path == node || (path.size() > node.size() && path.starts_with(node) && path[node.size()] == '.');
  }

  Context<Device>* context_;
  Program<Device> program_;
  mutable std::unique_ptr<Program<Device>> training_;
  std::shared_ptr<ParameterStore<Device>> parameters_;
  int in_channels_ = 0, out_channels_ = 0, freezings_ = 0;
};

template <class Device>
auto Model<Device>::receptive_field(const Shape& shape) const -> Reach {
  const Extent e = program_.extents(shape).back();
  return {static_cast<Index>(std::floor(-e.low)), static_cast<Index>(std::floor(e.high))};
}

template <class Device>
Index Model<Device>::coarsest_stride(const Shape& shape) const {
  double stride = 1;
  for (const Extent& e : program_.extents(shape)) stride = std::max(stride, e.scale);
  return static_cast<Index>(std::lround(stride));
}

template <class Device>
void Model<Device>::freeze(std::span<const std::string> nodes, bool frozen) {
  for (const std::string& node : nodes) {
    bool found = false;
    for (auto& step : program_.steps())
      if (in_node(step.node, node)) step.frozen = frozen, found = true;
    for (ParameterEntry& entry : parameters_->entries())
      if (in_node(entry.name, node)) entry.frozen = frozen;
    training_.reset(), ++freezings_;
    if (!found) throw ArgumentError(message("freeze: no block is called '", node, "'"));
  }
}

}  // namespace nucdet::nn
