#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/rectangle.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet::nn {

/// A slot that is written straight into its part of a later step's output.
struct Placement {
  int step = -1;  ///< that step, or -1
  std::size_t input = 0;
};

/// What a step reads and keeps where a part of the outputs is wanted.
struct StepPart {
  std::vector<Rectangle> inputs;  ///< of each input's tensor
  Index top = 0, left = 0;        ///< the first pixel that is kept of what it would make of these
};

/// The wiring of a program, as the planner sees it: step k reads `inputs` and makes `output`.
struct Wire {
  std::vector<int> inputs;
  int output = 0;
};

/// What running a program on one input shape means: found by a dry run, before anything is allocated.
struct Plan {
  Shape input;
  Rectangle wanted{};                   ///< input pixels whose outputs are wanted; empty: the whole maps
  std::vector<StepPart> parts{};        ///< of every step; none: whole maps are made
  std::vector<Rectangle> outputs{};     ///< what is wanted in the outputs' tensors; none: all
  std::vector<Shape> shapes{};          ///< of every slot's tensor
  std::vector<Index> flops{};           ///< of every step
  std::vector<Placement> placements{};  ///< of every slot
  std::vector<int> last_uses{};         ///< of every slot: the step after which nothing reads it
  std::vector<int> only_readers{};      ///< of every slot: the one step that reads it, or -1
  std::vector<int> overwritten{};       ///< of every slot: the one whose memory it takes in inference, or -1
  /// Of every slot, where it lies in one block of memory that holds a pass in inference; below 0: it has its own.
  std::vector<Index> offsets{};
  Index block_elements = 0;
  Index held_elements = 0;  ///< that block, the input and the outputs: what a pass in inference takes
  Index peak_elements = 0;  ///< the most that lives at one time in an inference pass, input included

  /// The shapes of what step k reads by this wire.
  std::vector<Shape> inputs_of(std::size_t k, const Wire& wire) const {
    std::vector<Shape> in;
    for (std::size_t i = 0; i < wire.inputs.size(); ++i) {
      Shape s = shapes[static_cast<std::size_t>(wire.inputs[i])];
      if (!parts.empty()) s.h = parts[k].inputs[i].height, s.w = parts[k].inputs[i].width;
      in.push_back(s);
    }
    return in;
  }
  /// Whether step k reads all that there is of input i's tensor.
  bool reads_whole(std::size_t k, const Wire& wire, std::size_t i) const {
    const Shape& s = shapes[static_cast<std::size_t>(wire.inputs[i])];
    return parts.empty() || parts[k].inputs[i] == Rectangle{0, 0, s.w, s.h};
  }
  Index total_flops() const {
    Index sum = 0;
    for (const Index f : flops) sum += f;
    return sum;
  }
};

/// The slot whose buffer a slot lives in.
int root_of(int slot, std::span<const Wire> wires, std::span<const Placement> placements);

/// The one step that reads a slot; -1: none or several do, or it leaves the network.
std::vector<int> only_readers(std::span<const Wire> wires, std::size_t slots, std::span<const int> outputs);

/// The step after which a slot is no longer read; those that leave the network are read after the last one.
std::vector<int> last_uses(std::span<const Wire> wires, std::size_t slots, std::span<const int> outputs);

/// The steps [from, to] in which a slot's own buffer holds something; below 0 where it has none.
struct Lifetime {
  int from = -1, to = -1;
};
/// Of every slot; last: see last_uses; overwritten: see Plan, none if empty.
std::vector<Lifetime> lifetimes(std::span<const Wire> wires, std::size_t slots, std::span<const int> last,
                                std::span<const Placement> placements, std::span<const int> overwritten = {});

/// Elements alive at the worst moment of an inference pass with these placements.
Index peak_elements(std::span<const Wire> wires, std::span<const Shape> shapes, std::span<const int> last,
                    std::span<const Placement> placements, std::span<const int> overwritten = {});

/// Sets plan.overwritten, once all but it and the layout is known: step k may take the memory of an input that nothing
/// reads after it, of the same shape, where can(k, i) lets it. The `outputs` have memory of their own.
template <class Can>
void choose_overwritten(std::span<const Wire> wires, std::span<const int> outputs, const Can& can, Plan& plan) {
  const std::vector<Lifetime> lives = lifetimes(wires, plan.shapes.size(), plan.last_uses, plan.placements);
  plan.overwritten.assign(plan.shapes.size(), -1);
  for (std::size_t k = 0; k < wires.size(); ++k) {
    const std::size_t out = static_cast<std::size_t>(wires[k].output);
    if (lives[out].from < 0 || std::find(outputs.begin(), outputs.end(), wires[k].output) != outputs.end()) continue;
    for (std::size_t i = 0; i < wires[k].inputs.size() && plan.overwritten[out] < 0; ++i) {
      const int slot = wires[k].inputs[i];
      const std::size_t in = static_cast<std::size_t>(slot);
      bool alone = true;  // or the step would read what it has written
      for (std::size_t j = 0; j < wires[k].inputs.size(); ++j)
        alone = alone && (j == i || root_of(wires[k].inputs[j], wires, plan.placements) != slot);
      if (alone && slot > 0 && lives[in].from >= 0 && lives[in].to == static_cast<int>(k) &&
          plan.shapes[in] == plan.shapes[out] && plan.reads_whole(k, wires[k], i) && can(k, i))
        plan.overwritten[out] = slot;
    }
  }
}

/// Lays the buffers of a pass out in one block, so that those alive at one time do not overlap: the largest first, each
/// at the lowest place that is free. A pool that does not know what comes next holds a third more. Of a finished plan;
/// the input and the `outputs` outlive a pass and stay outside.
void lay_out(std::span<const Wire> wires, std::span<const int> outputs, Plan& plan);

/// Decides which slots are written straight into the step that joins them. Writing in place saves a copy, but makes the
/// joined buffer earlier than the join: a placement that raises the peak is taken back.
/// candidates: one placement or none for each slot; on return, those kept.
void settle_placements(std::span<const Wire> wires, std::span<const Shape> shapes, std::span<const int> last,
                       std::vector<Placement>& candidates);

#ifdef NUCDET_INLINE

NUCDET_INLINE int root_of(int slot, std::span<const Wire> wires, std::span<const Placement> placements) {
  while (placements[static_cast<std::size_t>(slot)].step >= 0)
    slot = wires[static_cast<std::size_t>(placements[static_cast<std::size_t>(slot)].step)].output;
  return slot;
}

NUCDET_INLINE std::vector<int> only_readers(std::span<const Wire> wires, std::size_t slots,
                                            std::span<const int> outputs) {
  std::vector<int> reads(slots, 0), readers(slots, -1);
  for (const int slot : outputs) ++reads[static_cast<std::size_t>(slot)];
  for (std::size_t step = 0; step < wires.size(); ++step)
    for (const int slot : wires[step].inputs)
      readers[static_cast<std::size_t>(slot)] =
          ++reads[static_cast<std::size_t>(slot)] == 1 ? static_cast<int>(step) : -1;
  return readers;
}

NUCDET_INLINE std::vector<int> last_uses(std::span<const Wire> wires, std::size_t slots, std::span<const int> outputs) {
  std::vector<int> last(slots, -1);
  for (std::size_t step = 0; step < wires.size(); ++step) {
    last[static_cast<std::size_t>(wires[step].output)] = static_cast<int>(step);
    for (const int slot : wires[step].inputs) last[static_cast<std::size_t>(slot)] = static_cast<int>(step);
  }
  for (const int slot : outputs) last[static_cast<std::size_t>(slot)] = static_cast<int>(wires.size());
  return last;
}

NUCDET_INLINE std::vector<Lifetime> lifetimes(std::span<const Wire> wires, std::size_t slots, std::span<const int> last,
                                              std::span<const Placement> placements, std::span<const int> overwritten) {
  std::vector<Lifetime> lives(slots);
  const auto extend = [&](int slot, int step) {
    int root = root_of(slot, wires, placements);
    while (!overwritten.empty() && overwritten[static_cast<std::size_t>(root)] >= 0)
      root = overwritten[static_cast<std::size_t>(root)];
    Lifetime& life = lives[static_cast<std::size_t>(root)];
    life.from = life.from < 0 ? step : std::min(life.from, step);
    life.to = std::max({life.to, step, last[static_cast<std::size_t>(slot)]});
  };
  extend(0, 0);
  for (std::size_t step = 0; step < wires.size(); ++step) extend(wires[step].output, static_cast<int>(step));
  return lives;
}

NUCDET_INLINE Index peak_elements(std::span<const Wire> wires, std::span<const Shape> shapes, std::span<const int> last,
                                  std::span<const Placement> placements, std::span<const int> overwritten) {
  const std::vector<Lifetime> lives = lifetimes(wires, shapes.size(), last, placements, overwritten);
  Index peak = 0;
  for (int step = 0; step < static_cast<int>(wires.size()); ++step) {
    Index alive = 0;
    for (std::size_t slot = 0; slot < shapes.size(); ++slot)
      if (lives[slot].from >= 0 && lives[slot].from <= step && step <= lives[slot].to) alive += shapes[slot].count();
    peak = std::max(peak, alive);
  }
  return peak;
}

NUCDET_INLINE void lay_out(std::span<const Wire> wires, std::span<const int> outputs, Plan& plan) {
  constexpr Index kUnit = 128;  // elements: what engines and vectors want buffers to begin on
  const std::vector<Lifetime> lives =
      lifetimes(wires, plan.shapes.size(), plan.last_uses, plan.placements, plan.overwritten);
  const auto size_of = [&](std::size_t slot) { return (plan.shapes[slot].count() + kUnit - 1) / kUnit * kUnit; };
  std::vector<std::size_t> order;
  for (std::size_t slot = 1; slot < lives.size(); ++slot)
    if (lives[slot].from >= 0 && std::find(outputs.begin(), outputs.end(), static_cast<int>(slot)) == outputs.end())
      order.push_back(slot);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return size_of(a) > size_of(b); });
  plan.offsets.assign(lives.size(), -1), plan.block_elements = 0;
  plan.held_elements = plan.input.count();
  for (const int slot : outputs) plan.held_elements += plan.shapes[static_cast<std::size_t>(slot)].count();
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t slot : order) {
    Index offset = 0;
    for (const std::size_t other : placed) {
      if (lives[other].from > lives[slot].to || lives[slot].from > lives[other].to) continue;
      if (offset + size_of(slot) <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + size_of(other));
    }
    plan.offsets[slot] = offset;
    plan.block_elements = std::max(plan.block_elements, offset + size_of(slot));
    placed.insert(std::find_if(placed.begin(), placed.end(), [&](auto other) { return plan.offsets[other] > offset; }),
                  slot);
  }
  for (const Wire& wire : wires)  // in the order of steps: what is overwritten has its place
    if (const int slot = plan.overwritten[static_cast<std::size_t>(wire.output)]; slot >= 0)
      plan.offsets[static_cast<std::size_t>(wire.output)] = plan.offsets[static_cast<std::size_t>(slot)];
  plan.held_elements += plan.block_elements;
}

NUCDET_INLINE void settle_placements(std::span<const Wire> wires, std::span<const Shape> shapes,
                                     std::span<const int> last, std::vector<Placement>& candidates) {
  Index peak = peak_elements(wires, shapes, last, candidates);
  for (bool better = true; better;) {
    better = false;
    for (Placement& placement : candidates) {
      if (placement.step < 0) continue;
      const Placement kept = placement;
      placement = {};
      const Index without = peak_elements(wires, shapes, last, candidates);
      if (without < peak)
        peak = without, better = true;
      else
        placement = kept;
    }
  }
}

#endif

}  // namespace nucdet::nn
