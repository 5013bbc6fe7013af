#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/plan.hpp"
#include "nucdet/nn/spec.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/convert.hpp"

namespace nucdet::nn {

/// Interpreter 2 of a spec: a flat list of steps in the order they run. Printing, planning, fusing and running are
/// loops over that list.
template <class Device>
class Program {
 public:
  struct Step {
    std::shared_ptr<Layer<Device>> layer;
    std::string node;  ///< "down1": the named block it belongs to
    std::string path;  ///< "down1.conv2"
    bool parameters = false, frozen = false;
    std::uint64_t number = 0;  ///< its place in the network as it was written: numbers the dropout masks
  };

  // The builder's words, the same as the Checker's.
  Slot input(int channels) { return {slots_++, channels}; }
  template <class Leaf>
  Slot add(std::span<const Slot> in) {
    return {append(Leaf::template make<Device>(in), Leaf::role, in), Leaf::channels(in)};
  }
  Slot fail(Problem, int = 0, int = 0) { throw Error("nucdet: ill-formed network"); }  // the Checker was there first
  std::string enter(std::string_view node);
  void leave(std::string outer) { node_ = std::move(outer); }

  /// Appends a layer, named by its role and its place; returns the slot it makes.
  int append(std::unique_ptr<Layer<Device>> layer, std::string_view role, std::span<const Slot> in);
  /// Appends a step made by hand (a fusing pass); returns the slot it makes.
  int append_step(Step step, std::vector<int> inputs);

  std::vector<Step>& steps() { return steps_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<Wire>& wires() const { return wires_; }

  void bind(ParameterStore<Device>& store);

  /// Shapes, costs and memory for one input shape. Throws ShapeError, naming the node, if something does not fit.
  Plan plan(const Shape& input) const;

  Tensor<Device> forward(Context<Device>& context, const Tensor<Device>& x, const Pass<Device>& pass) const;

  /// Adds to the parameters' gradients; returns the input's gradient if the taped pass asked for it, else nothing.
  Tensor<Device> backward(Context<Device>& context, const Tensor<Device>& dy, Tape<Device>& tape) const;

  /// The tensor in another element type; itself if it has that type.
  static Tensor<Device> converted(Context<Device>& context, const Tensor<Device>& x, DType type);

  /// The input pixels, relative to its own place, that a pixel of each slot can depend on, for one input shape.
  std::vector<Extent> extents(const Shape& input) const;

 private:
  static std::vector<Shape> shapes_of(const Wire& wire, const std::vector<Shape>& shapes);
  /// The plan of the last shape seen: most programs run on one shape for a long time.
  const Plan& planned(const Shape& shape) const;
  /// Gives a slot its memory: its own, or its part of the step it is placed in.
  void make_slot(Context<Device>& context, const Plan& plan, std::vector<Tensor<Device>>& values, std::size_t slot,
                 DType type) const;
  /// Where asked to, waits for a step, so that a failure of the device names it.
  static void check_step(Context<Device>& context, const Step& step);
  /// total += part, in place only where nobody else holds the memory.
  static void collect(Context<Device>& context, Tensor<Device>& total, Tensor<Device> part);

  std::vector<Step> steps_;
  std::vector<Wire> wires_;
  int slots_ = 0;
  std::string node_;
  std::map<std::string, int> roles_;
  mutable Plan last_plan_;
  mutable std::vector<int> last_use_;
};

template <class Device>
std::string Program<Device>::enter(std::string_view node) {
  std::string outer = node_;
  node_ += (node_.empty() ? "" : ".") + std::string(node);
  return outer;
}

template <class Device>
int Program<Device>::append(std::unique_ptr<Layer<Device>> layer, std::string_view role, std::span<const Slot> in) {
  std::vector<int> inputs;
  for (const Slot& s : in) inputs.push_back(s.id);
  const std::string count = std::to_string(++roles_[node_ + ":" + std::string(role)]);
  const std::string path = (node_.empty() ? "" : node_ + ".") + std::string(role) + count;
  return append_step({.layer = std::move(layer), .node = node_, .path = path, .number = steps_.size()},
                     std::move(inputs));
}

template <class Device>
int Program<Device>::append_step(Step step, std::vector<int> inputs) {
  steps_.push_back(std::move(step));
  wires_.push_back({std::move(inputs), slots_});
  return slots_++;
}

template <class Device>
void Program<Device>::bind(ParameterStore<Device>& store) {
  for (Step& step : steps_) {
    const std::size_t before = store.entries().size();
    Binder<Device> binder(store, step.path);
    step.layer->bind(binder);
    step.parameters = store.entries().size() > before;
  }
}

template <class Device>
Plan Program<Device>::plan(const Shape& input) const {
  Plan plan{input, {input}, {}, {}, 0};
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    const std::vector<Shape> in = shapes_of(wires_[k], plan.shapes);
    try {
      plan.shapes.push_back(steps_[k].layer->output_shape(in));
      plan.flops.push_back(steps_[k].layer->flops(in));
    } catch (const ShapeError& error) { throw ShapeError(message("node '", steps_[k].node, "': ", error.what())); }
  }
  plan.placements.resize(plan.shapes.size());
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    const std::vector<Shape> in = shapes_of(wires_[k], plan.shapes);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const int slot = wires_[k].inputs[i];
      Placement& place = plan.placements[static_cast<std::size_t>(slot)];
      if (slot > 0 && place.step < 0 && steps_[k].layer->can_place(in, i)) place = {static_cast<int>(k), i};
    }
  }
  settle_placements(wires_, plan.shapes, plan.placements);
  plan.peak_elements = peak_elements(wires_, plan.shapes, plan.placements);
  return plan;
}

template <class Device>
Tensor<Device> Program<Device>::forward(Context<Device>& context, const Tensor<Device>& x,
                                        const Pass<Device>& pass) const {
  const Plan& plan = planned(x.shape());
  std::vector<Tensor<Device>> values(static_cast<std::size_t>(slots_));
  std::vector<bool> needs_gradient(values.size(), false);
  const DType type = map_type(context, x.dtype());
  values[0] = converted(context, x, type);
  needs_gradient[0] = pass.input_gradient;
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    std::vector<Tensor<Device>> in;
    Wanted wanted{false, steps_[k].parameters && !steps_[k].frozen};
    for (const int slot : wires_[k].inputs) {
      in.push_back(values[static_cast<std::size_t>(slot)]);
      wanted.inputs = wanted.inputs || needs_gradient[static_cast<std::size_t>(slot)];
    }
    const std::size_t out = static_cast<std::size_t>(wires_[k].output);
    needs_gradient[out] = wanted.inputs || wanted.parameters;
    Pass<Device> mine = pass;
    mine.step = steps_[k].number;
    if (steps_[k].frozen) mine.mode = Mode::inference;
    if (!needs_gradient[out]) mine.tape = nullptr;
    if (mine.tape != nullptr) mine.tape->marks.push_back({k, mine.tape->size(), wanted});
    make_slot(context, plan, values, out, type);
    steps_[k].layer->forward(context, in, values[out], mine);
    check_step(context, steps_[k]);
    in.clear();
    for (const int slot : wires_[k].inputs)
      if (last_use_[static_cast<std::size_t>(slot)] == static_cast<int>(k)) values[static_cast<std::size_t>(slot)] = {};
  }
  return converted(context, values.back(), x.dtype());
}

template <class Device>
Tensor<Device> Program<Device>::backward(Context<Device>& context, const Tensor<Device>& dy, Tape<Device>& tape) const {
  std::vector<Tensor<Device>> gradients(static_cast<std::size_t>(slots_));
  gradients.back() = converted(context, dy, map_type(context, dy.dtype()));
  for (; !tape.marks.empty(); tape.marks.pop_back()) {
    const auto mark = tape.marks.back();
    const Wire& wire = wires_[mark.step];
    const Tensor<Device> slope = std::move(gradients[static_cast<std::size_t>(wire.output)]);
    if (!slope)
      throw Error(message("step '", steps_[mark.step].path, "' has no gradient: nothing but its size is read"));
    std::vector<Tensor<Device>> dx = steps_[mark.step].layer->backward(context, slope, tape, mark.wanted);
    if (tape.size() != mark.size)
      throw Error(message("Tape: step '", steps_[mark.step].path, "' did not take exactly what it had saved"));
    for (std::size_t i = 0; i < dx.size(); ++i)
      collect(context, gradients[static_cast<std::size_t>(wire.inputs[i])], std::move(dx[i]));
  }
  return gradients[0] ? converted(context, gradients[0], dy.dtype()) : gradients[0];
}

template <class Device>
std::vector<Extent> Program<Device>::extents(const Shape& input) const {
  const Plan plan = this->plan(input);
  std::vector<Extent> extents(1);
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    std::vector<Extent> in;
    for (const int slot : wires_[k].inputs) in.push_back(extents[static_cast<std::size_t>(slot)]);
    extents.push_back(steps_[k].layer->extent(in, shapes_of(wires_[k], plan.shapes)));
  }
  return extents;
}

template <class Device>
std::vector<Shape> Program<Device>::shapes_of(const Wire& wire, const std::vector<Shape>& shapes) {
  std::vector<Shape> in;
  for (const int slot : wire.inputs) in.push_back(shapes[static_cast<std::size_t>(slot)]);
  return in;
}

template <class Device>
const Plan& Program<Device>::planned(const Shape& shape) const {
  if (last_plan_.shapes.size() != static_cast<std::size_t>(slots_) || last_plan_.input != shape) {
    last_plan_ = plan(shape);
    last_use_ = last_uses(wires_, static_cast<std::size_t>(slots_));
  }
  return last_plan_;
}

template <class Device>
void Program<Device>::make_slot(Context<Device>& context, const Plan& plan, std::vector<Tensor<Device>>& values,
                                std::size_t slot, DType type) const {
  if (values[slot]) return;
  const Placement& placement = plan.placements[slot];
  if (placement.step < 0) {
    values[slot] = context.make(plan.shapes[slot], type);
    return;
  }
  const std::size_t joined = static_cast<std::size_t>(wires_[static_cast<std::size_t>(placement.step)].output);
  make_slot(context, plan, values, joined, type);
  const Shape& s = plan.shapes[slot];
  values[slot] =
      steps_[static_cast<std::size_t>(placement.step)].layer->place(values[joined], placement.input, s.h, s.w);
}

template <class Device>
Tensor<Device> Program<Device>::converted(Context<Device>& context, const Tensor<Device>& x, DType type) {
  if (x.dtype() == type) return x;
  Tensor<Device> y = context.make(x.shape(), type);
  if constexpr (!std::is_same_v<Device, Cpu>)  // where the two differ, one is f32 and the other a half
    dispatch<Device>(x.dtype() == DType::f32 ? type : x.dtype(), [&]<class Half>() {
      if constexpr (!std::is_same_v<Half, float>) {
        if (x.dtype() == DType::f32)
          ops::convert<float, Half>(context, x.template view<const float>(), y.template view<Half>());
        else
          ops::convert<Half, float>(context, x.template view<const Half>(), y.template view<float>());
      }
    });
  return y;
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

template <class Device>
void Program<Device>::collect(Context<Device>& context, Tensor<Device>& total, Tensor<Device> part) {
  if (!part) return;
  if (!total) {
    total = std::move(part);
    return;
  }
  if (!total.unique() && part.unique()) std::swap(total, part);
  dispatch<Device>(total.dtype(), [&]<class T>() {
    if (total.unique())
      return ops::accumulate<T>(context, std::as_const(part).template view<const T>(), total.template view<T>());
    Tensor<Device> sum = context.make(total.shape(), total.dtype());
    const View<const T> terms[] = {std::as_const(total).template view<const T>(),
                                   std::as_const(part).template view<const T>()};
    ops::add<T>(context, std::span<const View<const T>>(terms), sum.template view<T>());
    total = std::move(sum);
  });
}

}  // namespace nucdet::nn
