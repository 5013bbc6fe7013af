#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "nucdet/nn/program.hpp"

/// The training pass: an activation is taken into the layer before it (a normalisation, a sum) where that one can, so
/// that its input is neither stored nor read again. For devices on which moving memory is what such ops cost; the CPU,
/// where arithmetic costs as much, runs the network as it was written.
namespace nucdet::nn {

/// The program with activations taken in where they are the only reader. Layers and parameters are shared with it.
template <class D>
Program<D> for_training(const Program<D>& program) {
  const auto& steps = program.steps();
  const auto& wires = program.wires();
  std::vector<std::vector<std::size_t>> readers(steps.size() + 1);
  for (std::size_t k = 0; k < wires.size(); ++k)
    for (const int slot : wires[k].inputs) readers[static_cast<std::size_t>(slot)].push_back(k);
  for (const ProgramOutput& output : program.outputs())
    readers[static_cast<std::size_t>(output.slot)].push_back(steps.size());
  Program<D> result;
  std::vector<int> slot(steps.size() + 1, -1);
  std::vector<bool> taken(steps.size(), false);
  slot[0] = result.append_input();
  for (std::size_t k = 0; k < steps.size(); ++k) {
    if (taken[k]) continue;
    auto step = steps[k];
    std::size_t out = static_cast<std::size_t>(wires[k].output);
    const bool one = readers[out].size() == 1 && readers[out][0] < steps.size();
    if (one && steps[readers[out][0]].frozen == step.frozen) {
      const std::size_t next = readers[out][0];
      const ops::Fused activation = steps[next].layer->as_activation();
      auto fused = activation.kind != ops::Fused::Kind::none ? step.layer->with_activation(activation) : nullptr;
      if (fused) step.layer = std::move(fused), taken[next] = true, out = static_cast<std::size_t>(wires[next].output);
    }
    std::vector<int> inputs;
    for (const int from : wires[k].inputs) inputs.push_back(slot[static_cast<std::size_t>(from)]);
    slot[out] = result.append(std::move(step), std::move(inputs));
  }
  for (ProgramOutput output : program.outputs()) {
    output.slot = slot[static_cast<std::size_t>(output.slot)];
    result.add_output(std::move(output));
  }
  return result;
}

}  // namespace nucdet::nn
