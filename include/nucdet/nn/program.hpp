#pragma once
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/unique_id.hpp"
#include "nucdet/nn/collect.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/part_planner.hpp"
#include "nucdet/nn/plan.hpp"
#include "nucdet/nn/workspace.hpp"

namespace nucdet::nn {

/// A map that leaves the network.
struct ProgramOutput {
  std::string name;
  int slot = 0, channels = 0;
};

/// A network as a flat list of steps in the order they run: printing, planning, fusing and running are loops over it.
/// Made by a ProgramBuilder, or from another program by a pass. Thread-safe once made: running changes nothing but the
/// workspace.
template <class Device>
class Program {
 public:
  struct Step {
    std::shared_ptr<const Layer<Device>> layer;
    std::string node;  ///< "down1": the named block it belongs to
    std::string path;  ///< "down1.conv2"
    bool parameters = false, frozen = false;
    Index gradients_end = 0;   ///< where those of its parameters end in their buffer
    std::uint64_t number = 0;  ///< its place in the network as it was written: numbers the dropout masks
  };

  /// The slot that the network reads.
  int append_input() { return slots_++; }
  /// Appends a step; returns the slot it makes.
  int append(Step step, std::vector<int> inputs);
  void add_output(ProgramOutput output) { outputs_.push_back(std::move(output)), identity_ = UniqueId(); }

  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<Wire>& wires() const { return wires_; }
  const std::vector<ProgramOutput>& outputs() const { return outputs_; }
  /// Marks the steps of the blocks called `node`, or within it, as frozen or not; how many there are.
  std::size_t freeze(const std::string& node, bool frozen);

  /// Shapes, costs and memory for one input shape, and for a part of the outputs, as `forward` makes it. Throws
  /// ShapeError, naming the node, if something does not fit.
  Plan plan(const Shape& input, const Rectangle& wanted = {}) const;

  /// x: [N, H, W, C] -> one tensor an output, in the workspace too. wanted: a part of the input's pixels, at which the
  /// outputs are wanted; what nothing of it depends on is not computed. Each output is then that part of the whole, to
  /// the bit where sums are plain, and not dense; coarser maps have all pixels that touch it. Empty: everything.
  const std::vector<Tensor<Device>>& forward(Context<Device>& context, Workspace<Device>& workspace,
                                             const Tensor<Device>& x, const Pass<Device>& pass = {},
                                             const Rectangle& wanted = {}) const;

  /// dys: the gradient of each output, of which those that no loss looks at may be empty. Adds to the parameters'
  /// gradients; returns the input's gradient if the taped pass asked for it, else nothing.
  Tensor<Device> backward(Context<Device>& context, std::span<const Tensor<Device>> dys, Tape<Device>& tape) const;

  /// The input pixels, relative to its own place, that a pixel of each slot can depend on, for one input shape.
  std::vector<Extent> extents(const Shape& input) const;

 private:
  std::vector<Extent> extents_of(const Plan& whole) const;
  /// The plan of a shape, and a workspace of this program's size.
  const Plan& planned(Workspace<Device>& workspace, const Shape& shape, const Rectangle& wanted) const;
  /// Gives a slot its memory: its own, in the block if there is one, or its part of the step it is placed in.
  void make_slot(Context<Device>& context, const Plan& plan, std::vector<Tensor<Device>>& values, std::size_t slot,
                 DType type, const Tensor<Device>& block) const;
  /// Where asked to, waits for a step, so that a failure of the device names it.
  static void check_step(Context<Device>& context, const Step& step);

  std::vector<Step> steps_;
  std::vector<Wire> wires_;
  std::vector<ProgramOutput> outputs_;
  int slots_ = 0;
  UniqueId identity_;  ///< of this list of steps: plans are known by it
};

#ifdef NUCDET_BODIES
template <class Device>
int Program<Device>::append(Step step, std::vector<int> inputs) {
  steps_.push_back(std::move(step));
  wires_.push_back({std::move(inputs), slots_});
  identity_ = UniqueId();
  return slots_++;
}

template <class Device>
std::size_t Program<Device>::freeze(const std::string& node, bool frozen) {
  std::size_t found = 0;
  for (Step& step : steps_)
    if (detail::lies_in(step.node, node)) step.frozen = frozen, ++found;
  return found;
}

template <class Device>
Plan Program<Device>::plan(const Shape& input, const Rectangle& wanted) const {
  Plan plan{.input = input, .wanted = wanted, .shapes = {input}};
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    try {
      plan.shapes.push_back(steps_[k].layer->output_shape(plan.inputs_of(k, wires_[k])));
    } catch (const ShapeError& error) { throw ShapeError(message("node '", steps_[k].node, "': ", error.what())); }
  }
  std::vector<int> ends;
  for (const ProgramOutput& output : outputs_) ends.push_back(output.slot);
  if (wanted != Rectangle{} && wanted != Rectangle{0, 0, input.w, input.h})
    PartPlanner<Step>(steps_, wires_, ends, plan.shapes, extents_of(plan)).plan_part(plan);
  plan.placements.resize(plan.shapes.size());
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    const std::vector<Shape> in = plan.inputs_of(k, wires_[k]);
    plan.flops.push_back(steps_[k].layer->flops(in));
    for (std::size_t i = 0; i < in.size(); ++i) {
      const int slot = wires_[k].inputs[i];
      Placement& place = plan.placements[static_cast<std::size_t>(slot)];
      const bool leaves = std::find(ends.begin(), ends.end(), slot) != ends.end();  // and must be dense
      if (slot > 0 && !leaves && place.step < 0 && plan.reads_whole(k, wires_[k], i) &&
          steps_[k].layer->can_place(in, i))
        place = {static_cast<int>(k), i};
    }
  }
  plan.last_uses = last_uses(wires_, plan.shapes.size(), ends);
  plan.only_readers = only_readers(wires_, plan.shapes.size(), ends);
  settle_placements(wires_, plan.shapes, plan.last_uses, plan.placements);
  const auto can_overwrite = [&](std::size_t k, std::size_t i) { return steps_[k].layer->can_overwrite(i); };
  choose_overwritten(wires_, ends, can_overwrite, plan);
  plan.peak_elements = peak_elements(wires_, plan.shapes, plan.last_uses, plan.placements, plan.overwritten);
  lay_out(wires_, ends, plan);
  return plan;
}

template <class Device>
const std::vector<Tensor<Device>>& Program<Device>::forward(Context<Device>& context, Workspace<Device>& workspace,
                                                            const Tensor<Device>& x, const Pass<Device>& pass,
                                                            const Rectangle& wanted) const {
  if (wanted != Rectangle{} && pass.tape != nullptr)
    throw Error("Program: a pass that is taped makes whole maps, and a part was asked for");
  const Plan& plan = planned(workspace, x.shape(), wanted);
  std::vector<Tensor<Device>>&values = workspace.values_, &in = workspace.inputs_;
  const DType type = map_type(context, x.dtype());
  values[0] = converted(context, x, type);
  Tensor<Device> block;  // none where a tape keeps maps longer
  if (pass.tape == nullptr && plan.block_elements > 0) block = context.make({1, 1, 1, plan.block_elements}, type);
  workspace.needs_gradient_[0] = pass.input_gradient;
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    Wanted need{false, steps_[k].parameters && !steps_[k].frozen};
    for (std::size_t i = 0; i < wires_[k].inputs.size(); ++i) {
      const std::size_t slot = static_cast<std::size_t>(wires_[k].inputs[i]);
      in.push_back(plan.parts.empty() ? values[slot] : values[slot].window(plan.parts[k].inputs[i]));
      need.inputs = need.inputs || workspace.needs_gradient_[slot] != 0;
    }
    const std::size_t out = static_cast<std::size_t>(wires_[k].output);
    workspace.needs_gradient_[out] = need.inputs || need.parameters;
    Pass<Device> mine = pass;
    mine.step = steps_[k].number;
    if (steps_[k].frozen) mine.mode = Mode::inference;
    if (workspace.needs_gradient_[out] == 0) mine.tape = nullptr;
    if (const int next = plan.only_readers[out]; next >= 0) {
      const Step& reader = steps_[static_cast<std::size_t>(next)];
      need.bias = !reader.layer->ignores_bias(reader.frozen ? Mode::inference : pass.mode);
    }
    if (mine.tape != nullptr) mine.tape->mark(k, need, steps_[k].gradients_end);
    if (!plan.parts.empty()) mine.top = plan.parts[k].top, mine.left = plan.parts[k].left;
    make_slot(context, plan, values, out, type, block);
    steps_[k].layer->forward(context, in, values[out], mine);
    check_step(context, steps_[k]);
    in.clear();
    for (const int slot : wires_[k].inputs)
      if (plan.last_uses[static_cast<std::size_t>(slot)] == static_cast<int>(k))
        values[static_cast<std::size_t>(slot)] = {};
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Tensor<Device> output = values[static_cast<std::size_t>(outputs_[i].slot)];
    if (!plan.outputs.empty()) output = output.window(plan.outputs[i]);
    workspace.outputs_.push_back(converted(context, output, x.dtype()));
  }
  for (Tensor<Device>& value : values) value = {};
  return workspace.outputs_;
}

template <class Device>
Tensor<Device> Program<Device>::backward(Context<Device>& context, std::span<const Tensor<Device>> dys,
                                         Tape<Device>& tape) const {
  if (dys.size() != outputs_.size())
    throw ShapeError(message("backward: ", dys.size(), " gradients, the network has ", outputs_.size(), " outputs"));
  std::vector<Tensor<Device>> gradients(static_cast<std::size_t>(slots_));
  DType type = DType::f32;
  bool skips = false;  // what leads to an output without a gradient alone has none
  for (std::size_t i = 0; i < dys.size(); ++i) {
    skips = skips || !dys[i];
    if (!dys[i]) continue;
    type = dys[i].dtype();
    detail::collect(context, gradients[static_cast<std::size_t>(outputs_[i].slot)],
                    converted(context, dys[i], map_type(context, type)));
  }
  for (; !tape.marks.empty(); tape.finish_mark()) {
    const auto mark = tape.marks.back();
    const Wire& wire = wires_[mark.step];
    const Tensor<Device> slope = std::move(gradients[static_cast<std::size_t>(wire.output)]);
    if (!slope && skips) {
      tape.drop_to(mark);
      continue;
    }
    if (!slope)
      throw Error(message("step '", steps_[mark.step].path, "' has no gradient: nothing but its size is read"));
    std::vector<Tensor<Device>> dx = steps_[mark.step].layer->backward(context, slope, tape, mark.wanted);
    if (tape.size() != mark.size())
      throw Error(message("Tape: step '", steps_[mark.step].path, "' did not take exactly what it had saved"));
    for (std::size_t i = 0; i < dx.size(); ++i)
      detail::collect(context, gradients[static_cast<std::size_t>(wire.inputs[i])], std::move(dx[i]));
  }
  return gradients[0] ? converted(context, gradients[0], type) : gradients[0];
}

template <class Device>
std::vector<Extent> Program<Device>::extents(const Shape& input) const {
  return extents_of(plan(input));
}

template <class Device>
std::vector<Extent> Program<Device>::extents_of(const Plan& whole) const {
  std::vector<Extent> extents(1);
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    std::vector<Extent> in;
    for (const int slot : wires_[k].inputs) in.push_back(extents[static_cast<std::size_t>(slot)]);
    extents.push_back(steps_[k].layer->extent(in, whole.inputs_of(k, wires_[k])));
  }
  return extents;
}

template <class Device>
const Plan& Program<Device>::planned(Workspace<Device>& workspace, const Shape& shape, const Rectangle& wanted) const {
  auto& plans = workspace.plans_;
  if (workspace.program_ != identity_.number()) plans.clear(), workspace.program_ = identity_.number();
  auto found = std::find_if(plans.begin(), plans.end(),
                            [&](const auto& plan) { return plan->input == shape && plan->wanted == wanted; });
  if (found == plans.end()) {
    auto made = std::make_unique<const Plan>(plan(shape, wanted));
    if (plans.size() == Workspace<Device>::kMostPlans) plans.erase(plans.begin());
    plans.push_back(std::move(made));
    found = std::prev(plans.end());
  }
  std::rotate(found, std::next(found), plans.end());  // the last is the one used last
  workspace.inputs_.clear(), workspace.outputs_.clear();
  workspace.values_.assign(static_cast<std::size_t>(slots_), {});
  workspace.needs_gradient_.assign(static_cast<std::size_t>(slots_), 0);
  return *plans.back();
}

template <class Device>
void Program<Device>::make_slot(Context<Device>& context, const Plan& plan, std::vector<Tensor<Device>>& values,
                                std::size_t slot, DType type, const Tensor<Device>& block) const {
  if (values[slot]) return;
  const Placement& placement = plan.placements[slot];
  if (placement.step < 0) {
    values[slot] = block && plan.offsets[slot] >= 0 ? block.part(plan.offsets[slot], plan.shapes[slot])
                                                    : context.make(plan.shapes[slot], type);
    return;
  }
  const std::size_t joined = static_cast<std::size_t>(wires_[static_cast<std::size_t>(placement.step)].output);
  make_slot(context, plan, values, joined, type, block);
  const Shape& s = plan.shapes[slot];
  values[slot] =
      steps_[static_cast<std::size_t>(placement.step)].layer->place(values[joined], placement.input, s.h, s.w);
}

template <class Device>
void Program<Device>::check_step([[maybe_unused]] Context<Device>& context, [[maybe_unused]] const Step& step) {
  if constexpr (!std::is_same_v<Device, Cpu>) {
    if (!context.options().check_every_step) return;
    try {
      context.synchronize();
    } catch (const CudaError& error) { throw CudaError(message("step '", step.path, "': ", error.what())); }
  }
}

#endif

}  // namespace nucdet::nn
