#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "nucdet/nn/fusible.hpp"
#include "nucdet/nn/program.hpp"

/// The training pass: an activation is taken into the normalisation or the sum before it, so that its input is neither
/// stored nor read again. For devices on which moving memory is what such ops cost; the CPU, where arithmetic costs as
/// much, runs the network as it was written.
namespace nucdet::nn {

/// A normalisation and the activation behind it: one pass for the statistics, one for the rest. The slope is computed
/// again in the backward pass. Parameters are the normalisation's.
template <class D>
class NormActivationLayer final : public Layer<D> {
 public:
  /// `norm` is a NormalizationLayer.
  NormActivationLayer(std::shared_ptr<const Layer<D>> norm, ops::Fused activation)
      : norm_(std::move(norm)), activation_(activation) {}

  Shape output_shape(std::span<const Shape> in) const override { return norm_->output_shape(in); }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    ops::with_activation(activation_, [&](const auto& f) { norm().forward_with(context, x, y, pass, f); });
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    std::vector<Tensor<D>> dx;
    ops::with_activation(activation_, [&](const auto& f) { dx = norm().backward_with(context, dy, tape, wanted, f); });
    return dx;
  }
  std::string describe() const override { return norm_->describe() + " + act"; }

 private:
  const NormalizationLayer<D>& norm() const { return static_cast<const NormalizationLayer<D>&>(*norm_); }
  std::shared_ptr<const Layer<D>> norm_;
  ops::Fused activation_;
};

/// A sum of two maps and the activation behind it. Saves y.
template <class D>
class AddActivationLayer final : public Layer<D> {
 public:
  AddActivationLayer(std::shared_ptr<const Layer<D>> add, ops::Fused activation)
      : add_(std::move(add)), activation_(activation) {}

  Shape output_shape(std::span<const Shape> in) const override { return add_->output_shape(in); }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::with_activation(activation_, [&](const auto& f) {
        ops::add_activate<T>(context, f, x[0].template view<const T>(), x[1].template view<const T>(),
                             y.template view<T>());
      });
    });
    if (pass.tape != nullptr) pass.tape->save(y);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const Tensor<D> y = tape.take();
    if (!wanted.inputs) return {};
    Tensor<D> dx = context.make(y.shape(), y.dtype());
    dispatch<D>(y.dtype(), [&]<class T>() {
      ops::with_activation(activation_, [&](const auto& f) {
        ops::activate_gradient<T>(context, f, y.template view<const T>(), dy.template view<const T>(),
                                  dx.template view<T>());
      });
    });
    return {dx, dx};
  }
  std::string describe() const override { return "Add + act"; }

 private:
  std::shared_ptr<const Layer<D>> add_;
  ops::Fused activation_;
};

namespace detail {

/// The step with an activation taken in, or null if it is none that can.
template <class D>
std::shared_ptr<Layer<D>> with_activation_behind(const std::shared_ptr<const Layer<D>>& layer, std::size_t inputs,
                                                 const ops::Fused& activation) {
  if (dynamic_cast<const NormalizationLayer<D>*>(layer.get()) != nullptr)
    return std::make_shared<NormActivationLayer<D>>(layer, activation);
  const auto* add = dynamic_cast<const AddLayer<D>*>(layer.get());
  if (add != nullptr && inputs == 2 && !add->matches_sizes())
    return std::make_shared<AddActivationLayer<D>>(layer, activation);
  return nullptr;
}

}  // namespace detail

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
      const auto activation = detail::fusible_activation(*steps[next].layer);
      auto fused =
          activation ? detail::with_activation_behind(step.layer, wires[k].inputs.size(), *activation) : nullptr;
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
