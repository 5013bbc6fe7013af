#pragma once
#include <cmath>
#include <optional>

#include "nucdet/nn/joined_conv.hpp"
#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/model.hpp"

/// Inference passes: batch norm (any line for each channel) folded into the convolution before it, dropout dropped,
/// activation and residual sum taken into the convolution's store. Loops over the list of steps, which ask the layers
/// themselves (fusion.hpp).
namespace nucdet::nn {

/// A program for inference; it may outlive the model it was made from. Nothing of it changes when it runs: threads and
/// contexts (on a GPU, those of its device) may share one.
template <class Device>
struct InferenceProgram {
  Program<Device> program;
  std::shared_ptr<const ParameterStore<Device>> parameters;  ///< held only if a step could not be fused
  int in_channels = 0;
  Head head{};
  typename Model<Device>::Reach reach{};  ///< for large inputs: see Model::receptive_field,
  Index coarsest_stride = 1;              ///< and Model::coarsest_stride

  /// The first output.
  Tensor<Device> forward(Context<Device>& context, Workspace<Device>& workspace, const Tensor<Device>& x) const {
    return program.forward(context, workspace, x).front();
  }
  /// The same in a workspace that is made for it.
  Tensor<Device> forward(Context<Device>& context, const Tensor<Device>& x) const {
    Workspace<Device> workspace;
    return forward(context, workspace, x);
  }
};

namespace detail {

/// Walks the steps of a model and writes the fused program.
template <class D>
class Fuser {
 public:
  explicit Fuser(const Model<D>& model)
      : model_(model),
        steps_(model.program().steps()),
        wires_(model.program().wires()),
        taken_(steps_.size(), false),
        joined_(steps_.size(), kNone),
        slot_(steps_.size() + 1, -1),
        readers_(steps_.size() + 1) {
    for (std::size_t k = 0; k < wires_.size(); ++k)
      for (const int slot : wires_[k].inputs) readers_[static_cast<std::size_t>(slot)].push_back(k);
    for (const ProgramOutput& output : model.program().outputs())
      readers_[static_cast<std::size_t>(output.slot)].push_back(steps_.size());
  }

  InferenceProgram<D> run() {
    const Shape large{1, 512, 512, model_.in_channels()};
    InferenceProgram<D> result{
        {}, nullptr, model_.in_channels(), model_.head(), model_.receptive_field(large), model_.coarsest_stride(large)};
    slot_[0] = result.program.append_input();
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      if (taken_[k]) continue;
      const std::size_t in = static_cast<std::size_t>(wires_[k].inputs[0]),
                        out = static_cast<std::size_t>(wires_[k].output);
      if (steps_[k].layer->is_identity_in_inference()) {
        slot_[out] = slot_[in];
        continue;
      }
      if (leave_to_reader(k)) continue;
      std::vector<int> inputs;
      for (const int slot : wires_[k].inputs) inputs.push_back(slot_[static_cast<std::size_t>(slot)]);
      auto step = steps_[k];
      std::size_t end = out;
      if (const auto conv = step.layer->as_convolution()) {
        auto fused = std::make_shared<FusedConvLayer<D>>(model_.context(), *conv, step.layer->describe());
        end = absorb(*fused, conv->outputs, k, inputs);
        fused->finish(model_.context());
        step.layer = joined_[k] == kNone ? std::move(fused) : with_concatenation(joined_[k], std::move(fused), inputs);
      } else if (step.parameters) {
        result.parameters = model_.parameters();
      }
      slot_[end] = result.program.append(std::move(step), std::move(inputs));
    }
    for (ProgramOutput output : model_.program().outputs()) {
      output.slot = slot_[static_cast<std::size_t>(output.slot)];
      result.program.add_output(std::move(output));
    }
    return result;
  }

 private:
  /// The one step that reads a slot, looking through what does nothing in inference, or null; also null if the slot
  /// leaves the network.
  const Layer<D>* only_reader(std::size_t slot, std::size_t& step) {
    while (readers_[slot].size() == 1) {
      step = readers_[slot][0];
      if (step == steps_.size()) return nullptr;
      if (!steps_[step].layer->is_identity_in_inference()) return steps_[step].layer.get();
      slot = static_cast<std::size_t>(wires_[step].output);
    }
    return nullptr;
  }
  /// Marks everything on the way from `slot` to `step` as done; returns the slot that step makes.
  std::size_t take(std::size_t slot, std::size_t step) {
    for (std::size_t k = readers_[slot][0]; k != step; k = readers_[static_cast<std::size_t>(wires_[k].output)][0])
      taken_[k] = true;
    taken_[step] = true;
    return static_cast<std::size_t>(wires_[step].output);
  }
  bool take_activation(std::size_t& slot, ops::Fused& fused) {
    std::size_t step = 0;
    const Layer<D>* next = only_reader(slot, step);
    fused = next != nullptr ? next->as_activation() : ops::Fused{};
    if (fused.kind == ops::Fused::Kind::none) return false;
    slot = take(slot, step);
    return true;
  }

  /// Takes into the convolution made at step k what only it feeds; returns the slot that then comes out.
  std::size_t absorb(FusedConvLayer<D>& conv, Index channels, std::size_t k, std::vector<int>& inputs) {
    std::size_t slot = static_cast<std::size_t>(wires_[k].output), step = 0;
    const Layer<D>* const next = only_reader(slot, step);
    const auto line = next != nullptr ? next->as_affine() : std::nullopt;
    if (line && fits(*line, channels)) conv.fold(model_.context(), *line), slot = take(slot, step);
    ops::Fused activation;
    if (take_activation(slot, activation)) conv.set_first(activation);
    const Layer<D>* const add = only_reader(slot, step);
    if (add == nullptr || !add->is_sum() || wires_[step].inputs.size() != 2) return slot;
    const int mine = static_cast<int>(last_before(slot, step));
    const int other = wires_[step].inputs[0] == mine ? wires_[step].inputs[1] : wires_[step].inputs[0];
    if (other == mine || slot_[static_cast<std::size_t>(other)] < 0) return slot;  // the other branch comes later
    inputs.push_back(slot_[static_cast<std::size_t>(other)]);
    conv.set_residual();
    slot = take(slot, step);
    if (take_activation(slot, activation)) conv.set_last(activation);
    return slot;
  }
  /// Whether step k is a concatenation that the one convolution that reads it can do without.
  bool leave_to_reader(std::size_t k) {
    if constexpr (std::is_same_v<D, Cpu>) {
      const std::vector<Index> channels = steps_[k].layer->as_concatenation();
      std::size_t reader = 0;
      const Layer<D>* const next =
          channels.empty() ? nullptr : only_reader(static_cast<std::size_t>(wires_[k].output), reader);
      const auto conv = next != nullptr ? next->as_convolution() : std::nullopt;
      if (!conv || !JoinedConvLayer::can_join(model_.context(), *conv, channels)) return false;
      joined_[reader] = k;
      return true;
    }
    return false;
  }
  /// The convolution with the inputs of the concatenation made at step k in the place of its own.
  std::shared_ptr<const Layer<D>> with_concatenation(std::size_t k, std::shared_ptr<const FusedConvLayer<D>> conv,
                                                     std::vector<int>& inputs) const {
    inputs.erase(inputs.begin());
    std::vector<int> all;
    for (const int slot : wires_[k].inputs) all.push_back(slot_[static_cast<std::size_t>(slot)]);
    inputs.insert(inputs.begin(), all.begin(), all.end());
    if constexpr (std::is_same_v<D, Cpu>)
      return std::make_shared<JoinedConvLayer>(steps_[k].layer, steps_[k].layer->as_concatenation(), std::move(conv));
    return conv;
  }
  /// Whether each parameter of a line has a number for every channel.
  static bool fits(const AffineView<D>& line, Index channels) {
    for (const Parameter<D>* p : {&line.gamma, &line.beta, &line.mean, &line.variance})
      if (p->store != nullptr && p->count() != channels) return false;
    return true;
  }
  /// The slot that `step` reads on the way from `slot` (what does nothing in inference may stand between).
  std::size_t last_before(std::size_t slot, std::size_t step) const {
    while (readers_[slot][0] != step) slot = static_cast<std::size_t>(wires_[readers_[slot][0]].output);
    return slot;
  }

  const Model<D>& model_;
  const std::vector<typename Program<D>::Step>& steps_;
  const std::vector<Wire>& wires_;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<bool> taken_;
  std::vector<std::size_t> joined_;  // of a convolution: the concatenation that it takes in
  std::vector<int> slot_;            // of the old program in the new one
  std::vector<std::vector<std::size_t>> readers_;
};

}  // namespace detail

/// The model as it stands now, made ready for inference. Later training does not change it where every step with
/// parameters was fused (`parameters` is null then, as for MicroNet); the others read the model's own numbers (a
/// normalisation before a convolution, as in FRCN), so that such a model must not be trained while others run this.
template <class Device>
InferenceProgram<Device> for_inference(const Model<Device>& model) {
  return detail::Fuser<Device>(model).run();
}

}  // namespace nucdet::nn
