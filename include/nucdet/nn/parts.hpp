#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/nn/plan.hpp"

/// A part of a network's output wants a part of every map before it, the larger the further back: the coarse maps with
/// the network's whole reach around it, the fine ones near the output with a few pixels.
namespace nucdet::nn {

/// Pixels [begin, end) along an axis.
struct Span {
  Index begin = 0, end = 0;
};

/// The pixels of a map, `size` of them, that lie in or touch input pixels; scale: input pixels to one of its own.
inline Span shared_by(Span input, Index scale, Index size) {
  return {std::min(input.begin / scale, size), std::min((input.end + scale - 1) / scale, size)};
}

/// A slot along one axis.
struct SlotAxis {
  Index scale = 1;  ///< input pixels to one of its own
  Index size = 0;   ///< of the whole map
};

/// How far a step looks: output pixel i of scale s depends on the input pixels [s i + low, s i + high].
struct StepReach {
  double low = 0, high = 0;
};

struct AxisParts {
  std::vector<Span> steps;  ///< input pixels that a step is shown of all that it reads
  std::vector<Span> slots;  ///< what is wanted of a slot, in its own pixels
};

/// Walks from the outputs to the input. wanted: input pixels, where the outputs are wanted. What a step is shown begins
/// and ends on multiples of all its slots' scales, so that it makes of a part what it makes there of the whole.
AxisParts parts_along(std::span<const Wire> wires, std::span<const StepReach> reaches, std::span<const SlotAxis> slots,
                      std::span<const int> outputs, Span wanted);

/// What a whole map has more than its share of the input: -2 of a transposed convolution that gives 4 n - 2 pixels.
inline Index surplus(const SlotAxis& slot, const SlotAxis& input) { return slot.size - input.size / slot.scale; }

#ifdef NUCDET_INLINE

NUCDET_INLINE AxisParts parts_along(std::span<const Wire> wires, std::span<const StepReach> reaches,
                                    std::span<const SlotAxis> slots, std::span<const int> outputs, Span wanted) {
  constexpr Span kNothing{std::numeric_limits<Index>::max(), 0};
  const SlotAxis& input = slots[0];
  AxisParts parts{std::vector<Span>(wires.size()), std::vector<Span>(slots.size(), kNothing)};
  const auto slot_at = [&](int slot) -> const SlotAxis& { return slots[static_cast<std::size_t>(slot)]; };
  const auto want = [&](int slot, Span more) {
    Span& all = parts.slots[static_cast<std::size_t>(slot)];
    all = {std::max<Index>(0, std::min(all.begin, more.begin)),
           std::min(slot_at(slot).size, std::max(all.end, more.end))};
  };
  for (const int slot : outputs) want(slot, shared_by(wanted, slot_at(slot).scale, slot_at(slot).size));
  for (std::size_t k = wires.size(); k-- > 0;) {
    const SlotAxis& out = slot_at(wires[k].output);
    Index unit = out.scale;
    for (const int slot : wires[k].inputs) unit = std::lcm(unit, slot_at(slot).scale);
    Span made = parts.slots[static_cast<std::size_t>(wires[k].output)];
    if (made.begin >= made.end) made = parts.slots[static_cast<std::size_t>(wires[k].output)] = {0, out.size};
    const auto position = [&](Index pixel) { return static_cast<double>(out.scale * pixel); };
    const Index first = static_cast<Index>(std::floor(position(made.begin) + std::min(0.0, reaches[k].low))),
                last = static_cast<Index>(std::floor(position(made.end - 1) + std::max(0.0, reaches[k].high)));
    Span& shown = parts.steps[k];
    shown.begin = std::max<Index>(0, first) / unit * unit;
    Index end = out.scale * (made.end - surplus(out, input)), least = unit;
    for (const int slot : wires[k].inputs) {
      const SlotAxis& read = slot_at(slot);
      const Index missing = -surplus(read, input);  // at the end of its share
      end = std::max(end, read.scale * (last / read.scale + 1 + missing));
      least = std::max(least, read.scale * (1 + missing));  // of which it has a pixel
    }
    shown.end = std::min(input.size, (std::max(end, shown.begin + least) + unit - 1) / unit * unit);
    shown.begin = std::max<Index>(0, std::min(shown.begin, shown.end - least)) / unit * unit;
    for (const int slot : wires[k].inputs) {
      const SlotAxis& read = slot_at(slot);
      want(slot, {shown.begin / read.scale, shown.end / read.scale + surplus(read, input)});
    }
  }
  return parts;
}

#endif

}  // namespace nucdet::nn
