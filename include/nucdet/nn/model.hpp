#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/nn/builder.hpp"
#include "nucdet/nn/training_pass.hpp"

namespace nucdet::nn {

/// A network without its type: what trainers, detectors and weight files work on. Made by Network<Spec, InChannels,
/// Device>. Thread-safe while const on the CPU; on a GPU as its context is: one thread at a time.
template <class Device>
class Model {
 public:
  Context<Device>& context() const { return *context_; }
  const Program<Device>& program() const { return program_; }
  const std::shared_ptr<ParameterStore<Device>>& parameters() { return parameters_; }
  std::shared_ptr<const ParameterStore<Device>> parameters() const { return parameters_; }
  /// What its maps mean.
  const Head& head() const { return head_; }
  /// Gives the classes other names. Throws ArgumentError for another number of them.
  void name_classes(std::vector<std::string> names);
  int in_channels() const { return in_channels_; }
  /// Channels of the first output.
  int out_channels() const { return program_.outputs().front().channels; }

  /// The first output, as inference has it. x: [N, H, W, in_channels] -> [N, H', W', out_channels].
  Tensor<Device> forward(const Tensor<Device>& x) const { return outputs(x).front(); }
  /// All of them, in the order of their names.
  std::vector<Tensor<Device>> outputs(const Tensor<Device>& x) const {
    Workspace<Device> workspace;
    parameters_->round_factors(*context_, map_type(*context_, x.dtype()));
    return program_.forward(*context_, workspace, x);
  }
  /// The first output of a pass that may train: in training mode running statistics move.
  Tensor<Device> forward(const Tensor<Device>& x, const Pass<Device>& pass) { return outputs(x, pass).front(); }
  /// All of them; they stay until the next such pass.
  const std::vector<Tensor<Device>>& outputs(const Tensor<Device>& x, const Pass<Device>& pass) {
    parameters_->round_factors(*context_, map_type(*context_, x.dtype()));
    return (pass.tape != nullptr ? taped() : program_).forward(*context_, workspace_, x, pass);
  }
  /// Adds to the parameters' gradients what the gradients of the taped pass's outputs make of them; of an output that
  /// no loss looks at it may be an empty tensor. Returns the input's gradient, if the pass asked for it.
  Tensor<Device> backward(std::span<const Tensor<Device>> dys, Tape<Device>& tape) {
    return taped().backward(*context_, dys, tape);
  }
  /// The same of a network with one output.
  Tensor<Device> backward(const Tensor<Device>& dy, Tape<Device>& tape) { return backward({&dy, 1}, tape); }
  void zero_gradients() { parameters_->zero_gradients(*context_); }

  Plan plan(const Shape& shape) const { return program_.plan(shape); }

  /// How far, in pixels, an output pixel can see, for inputs of this shape: {before, after} as two positive numbers.
  struct Reach {
    Index before = 0, after = 0;
    bool bounded = true;  ///< false: some layer looks at the whole map, and the two numbers say nothing
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

  /// Builds the network from a spec.
  template <class S>
  void build(Start start) {
    ProgramBuilder<Device> builder(*parameters_);
    const Slot x = builder.input(in_channels_), last = S::build(builder, std::span(&x, 1));
    program_ = builder.finish(last);
    head_ = head_of<S>::head();
    parameters_->allocate(*context_, start);
  }

 private:
  /// What a taped pass runs: made for training on a GPU, the program as it stands on the CPU.
  const Program<Device>& taped() {
    if constexpr (std::is_same_v<Device, Cpu>) {
      return program_;
    } else {
      if (!training_) training_ = std::make_unique<Program<Device>>(for_training(program_));
      return *training_;
    }
  }
  Context<Device>* context_;
  Program<Device> program_;
  Head head_;
  std::unique_ptr<Program<Device>> training_;
  Workspace<Device> workspace_;
  std::shared_ptr<ParameterStore<Device>> parameters_;
  int in_channels_ = 0, freezings_ = 0;
};

template <class Device>
void Model<Device>::name_classes(std::vector<std::string> names) {
  if (names.size() != head_.classes.size())
    throw ArgumentError(
        message("name_classes: ", names.size(), " names, the network has ", head_.classes.size(), " classes"));
  head_.classes = std::move(names);
}

template <class Device>
auto Model<Device>::receptive_field(const Shape& shape) const -> Reach {
  const std::vector<Extent> extents = program_.extents(shape);
  Reach reach;
  for (const ProgramOutput& output : program_.outputs()) {
    const Extent& e = extents[static_cast<std::size_t>(output.slot)];
    if (!std::isfinite(e.low) || !std::isfinite(e.high)) return {0, 0, false};
    reach.before = std::max(reach.before, static_cast<Index>(std::floor(-e.low)));
    reach.after = std::max(reach.after, static_cast<Index>(std::floor(e.high)));
  }
  return reach;
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
    const std::size_t found = program_.freeze(node, frozen);
    for (ParameterEntry& entry : parameters_->entries())
      if (detail::lies_in(entry.name, node)) entry.frozen = frozen;
    training_.reset(), ++freezings_;
    if (found == 0) throw ArgumentError(message("freeze: no block is called '", node, "'"));
  }
}

}  // namespace nucdet::nn
