#pragma once
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/parts.hpp"

namespace nucdet::nn {

/// Makes of the plan of a program's whole maps the plan of a part of its outputs. Step: of Program<Device>::Step.
template <class Step>
class PartPlanner {
 public:
  /// whole: the shapes of all slots; extents: how far they look. outputs: the slots that leave the program.
  PartPlanner(std::span<const Step> steps, std::span<const Wire> wires, std::span<const int> outputs,
              std::vector<Shape> whole, std::vector<Extent> extents)
      : steps_(steps), wires_(wires), outputs_(outputs), whole_(std::move(whole)), extents_(std::move(extents)) {}

  /// Sets a plan's parts by what it says is wanted. If a step must see the whole map (its reach has no bound, its
  /// pixels are no multiple of the input's, or of a part it does not make what it makes of the whole), only the outputs
  /// are cut.
  void plan_part(Plan& plan) {
    if (find_scales() && find_reaches() && find_parts(plan)) return;
    plan.outputs.clear();
    for (const int slot : outputs_) plan.outputs.push_back(cut_of(slot, plan.wanted));
  }

 private:
  bool find_parts(Plan& plan) {
    const Rectangle& wanted = plan.wanted;
    down_ = along(&Shape::h, wanted.y, wanted.height), across_ = along(&Shape::w, wanted.x, wanted.width);
    held_.assign(1, {0, 0, whole_[0].w, whole_[0].h});
    std::vector<Shape> shapes{whole_[0]};
    std::vector<StepPart> parts;
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      parts.push_back(shown_to(k));
      std::vector<Shape> in;
      for (std::size_t i = 0; i < wires_[k].inputs.size(); ++i)
        in.push_back(part_of(whole_[static_cast<std::size_t>(wires_[k].inputs[i])], parts[k].inputs[i]));
      if (!make(k, steps_[k].layer->output_shape(in), parts[k])) return false;
      shapes.push_back(part_of(whole_[k + 1], held_.back()));
    }
    plan.shapes = std::move(shapes), plan.parts = std::move(parts);
    for (const int slot : outputs_) plan.outputs.push_back(within(slot, wanted_of(slot)));
    return true;
  }
  /// Of a whole output, what is wanted: the pixels that touch it, or all if that cannot be said.
  Rectangle cut_of(int slot, const Rectangle& wanted) const {
    const Extent& e = extents_[static_cast<std::size_t>(slot)];
    const Shape& s = whole_[static_cast<std::size_t>(slot)];
    if (!is_whole_number(e)) return {0, 0, s.w, s.h};
    const Index by = static_cast<Index>(e.scale);
    const Span x = shared_by({wanted.x, wanted.x + wanted.width}, by, s.w),
               y = shared_by({wanted.y, wanted.y + wanted.height}, by, s.h);
    return {x.begin, y.begin, x.end - x.begin, y.end - y.begin};
  }
  static bool is_whole_number(const Extent& e) { return e.even && e.scale >= 1 && e.scale == std::floor(e.scale); }
  static Shape part_of(Shape s, const Rectangle& part) {
    s.h = part.height, s.w = part.width;
    return s;
  }
  /// Input pixels to a pixel of each slot.
  bool find_scales() {
    for (const Extent& e : extents_) {
      if (!is_whole_number(e)) return false;
      scales_.push_back(static_cast<Index>(e.scale));
      if (whole_[0].h % scales_.back() != 0 || whole_[0].w % scales_.back() != 0) return false;
    }
    return true;
  }
  /// How far each step looks by itself.
  bool find_reaches() {
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      std::vector<Extent> in;
      for (const int slot : wires_[k].inputs) in.push_back({.scale = static_cast<double>(scale(slot))});
      const Extent e = steps_[k].layer->extent(in, whole_inputs(k));
      if (!std::isfinite(e.low) || !std::isfinite(e.high)) return false;
      reaches_.push_back({e.low, e.high});
    }
    return true;
  }
  AxisParts along(Index Shape::*size, Index begin, Index wanted) const {
    std::vector<SlotAxis> slots;
    for (std::size_t slot = 0; slot < whole_.size(); ++slot) slots.push_back({scales_[slot], whole_[slot].*size});
    return parts_along(wires_, reaches_, slots, outputs_, {begin, begin + wanted});
  }
  std::vector<Shape> whole_inputs(std::size_t k) const {
    std::vector<Shape> in;
    for (const int slot : wires_[k].inputs) in.push_back(whole_[static_cast<std::size_t>(slot)]);
    return in;
  }
  Index scale(int slot) const { return scales_[static_cast<std::size_t>(slot)]; }
  /// What a slot has of these input pixels.
  Rectangle share(int slot, const Span& columns, const Span& rows) const {
    const Index s = scale(slot);
    const Shape& w = whole_[static_cast<std::size_t>(slot)];
    return {columns.begin / s, rows.begin / s, (columns.end - columns.begin) / s + w.w - whole_[0].w / s,
            (rows.end - rows.begin) / s + w.h - whole_[0].h / s};
  }
  Rectangle wanted_of(int slot) const {
    const Span &x = across_.slots[static_cast<std::size_t>(slot)], &y = down_.slots[static_cast<std::size_t>(slot)];
    return {x.begin, y.begin, x.end - x.begin, y.end - y.begin};
  }
  /// Pixels of a slot's whole map in what is held of it.
  Rectangle within(int slot, Rectangle part) const {
    const Rectangle& held = held_[static_cast<std::size_t>(slot)];
    part.x -= held.x, part.y -= held.y;
    return part;
  }
  StepPart shown_to(std::size_t k) const {
    StepPart part;
    for (const int slot : wires_[k].inputs)
      part.inputs.push_back(within(slot, share(slot, across_.steps[k], down_.steps[k])));
    return part;
  }
  /// Notes what step k makes of what it is shown: all of it, or what is wanted.
  bool make(std::size_t k, const Shape& made, StepPart& part) {
    const int slot = wires_[k].output;
    const Rectangle all = share(slot, across_.steps[k], down_.steps[k]), wanted = wanted_of(slot);
    if (made.h != all.height || made.w != all.width) return false;
    const bool crops = steps_[k].layer->can_crop();
    if (crops) part.top = wanted.y - all.y, part.left = wanted.x - all.x;
    held_.push_back(crops ? wanted : all);
    return true;
  }

  std::span<const Step> steps_;
  std::span<const Wire> wires_;
  std::span<const int> outputs_;
  std::vector<Shape> whole_;
  std::vector<Extent> extents_;
  std::vector<Index> scales_;
  std::vector<StepReach> reaches_;
  AxisParts down_, across_;
  std::vector<Rectangle> held_;  ///< of each slot's whole map, what its tensor holds
};

}  // namespace nucdet::nn
