#pragma once
#include <cmath>
#include <optional>

#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/model.hpp"
#include "nucdet/ops/fold.hpp"

/// Inference passes: batch norm (any line for each channel) folded into the convolution before it, dropout dropped,
/// activation and residual sum taken into the convolution's store. Loops over the list of steps, which ask the layers
/// themselves (fusion.hpp).
namespace nucdet::nn {

namespace detail {

/// Weights as convolutions on the context's maps read them: themselves, or rounded to 16 bits.
template <class D>
Tensor<D> rounded_factors(Context<D>& context, Tensor<D> weight) {
  const DType type = map_type(context, weight.dtype());
  if (type == weight.dtype()) return weight;
  Tensor<D> rounded = context.make(weight.shape(), type);
  dispatch<D>(type, [&]<class Half>() {
    if constexpr (!std::is_same_v<Half, compute_t<Half>>)
      ops::convert<float, Half>(context, std::as_const(weight).template view<const float>(),
                                rounded.template view<Half>());
  });
  return rounded;
}

}  // namespace detail

/// A convolution of any kind with what follows it folded in: y = last(first(conv(x) + b) + residual). Inference only;
/// inputs: x and, with a residual, the residual.
template <class D>
class FusedConvLayer final : public Layer<D> {
 public:
  /// Takes a copy of the weights.
  FusedConvLayer(Context<D>& context, const ConvolutionView<D>& conv, std::string name)
      : problem_(conv.problem), transposed_(conv.transposed), name_(std::move(name)) {
    const DType type = conv.weight.store->dtype();
    weight_ = context.make({1, 1, 1, conv.weight.count()}, type);
    bias_ = context.zeros({1, 1, 1, conv.outputs}, type);
    dispatch<D>(type, [&]<class T>() {
      if constexpr (std::is_same_v<T, compute_t<T>>) {
        const auto copy = [&](const Parameter<D>& from, Tensor<D>& to) {
          ops::copy<T>(context, View<const T>(from.template value<T>(), to.shape()), to.template view<T>());
        };
        copy(conv.weight, weight_);
        if (conv.bias.store != nullptr) copy(conv.bias, bias_);
      }
    });
  }

  /// Takes a line for each channel into the weights.
  void fold(Context<D>& context, const AffineView<D>& line) {
    dispatch<D>(weight_.dtype(), [&]<class T>() {
      if constexpr (std::is_same_v<T, compute_t<T>>) {
        const auto values = [](const Parameter<D>& p) -> const T* {
          return p.store != nullptr ? p.template value<T>() : nullptr;
        };
        ops::fold_norm<T>(context, values(line.gamma), values(line.beta), values(line.mean), values(line.variance),
                          line.epsilon, bias_.shape().c, weight_.shape().c, transposed_,
                          weight_.template view<T>().data, bias_.template view<T>().data);
      }
    });
    name_ += " + norm";
  }
  /// Rounds the weights to the type of the maps; nothing is folded afterwards.
  void finish(Context<D>& context) { weight_ = detail::rounded_factors(context, std::move(weight_)); }
  void set_first(ops::Fused f) { first_ = f, name_ += " + act"; }
  void set_last(ops::Fused f) { last_ = f, name_ += " + act"; }
  void set_residual() { residual_ = true, name_ += " + add"; }

  Shape output_shape(std::span<const Shape> in) const override {
    const ops::Conv2dProblem p = problem_(in[0]);
    const Shape y = transposed_ ? p.large : p.small;
    if (residual_ && in[1] != y) throw ShapeError(message("Add: input 1 is ", y, " but input 0 is ", in[1]));
    return y;
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    if (pass.tape != nullptr || pass.mode == Mode::training) throw Error("a fused network is for inference only");
    ops::Conv2dProblem p = problem_(x[0].shape());
    Tensor<D> in = x[0], residual = residual_ ? x[1] : Tensor<D>();
    const Shape& part = y.shape();
    if (!transposed_ && (part.h != p.small.h || part.w != p.small.w)) {
      const ops::CroppedConvolution crop = ops::cropped(p, pass.top, pass.left, part);
      p = crop.problem, in = in.window(crop.large);
      if (residual) residual = residual.window(pass.top, pass.left, part.h, part.w);
    }
    dispatch<D>(y.dtype(), [&]<class T>() {
      const ops::Epilogue<T> epilogue{bias_.template view<const compute_t<T>>().data, first_,
                                      residual ? std::as_const(residual).template view<const T>() : View<const T>(),
                                      last_};
      const T* const weight = weight_.template view<const T>().data;
      const View<const T> from = std::as_const(in).template view<const T>();
      if (transposed_)
        ops::conv2d_data_gradient<T>(context, p, from, weight, epilogue, y.template view<T>());
      else
        ops::conv2d<T>(context, p, from, weight, epilogue, y.template view<T>());
    });
  }
  bool can_crop() const override { return !transposed_; }
  std::vector<Tensor<D>> backward(Context<D>&, const Tensor<D>&, Tape<D>&, Wanted) const override {
    throw Error("a fused network is for inference only");
  }
  Index flops(std::span<const Shape> in) const override { return problem_(in[0]).flops(); }
  Extent extent(std::span<const Extent> in, std::span<const Shape> shapes) const override {
    const Extent own = extent_of(in[0], problem_(shapes[0]), transposed_);
    if (!residual_) return own;
    const Extent both[] = {own, in[1]};
    return Extent::in_place(both);
  }
  std::string describe() const override { return name_; }
  std::string write(Context<D>& context, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    std::string y =
        write_convolution(graph, problem_, transposed_, numbers_of(context, weight_), numbers_of(context, bias_), x[0]);
    y = write_activation(graph, first_, y);
    if (residual_) y = graph.add("Add", {y, x[1].name});
    return write_activation(graph, last_, y);
  }

 private:
  std::function<ops::Conv2dProblem(const Shape&)> problem_;
  bool transposed_, residual_ = false;
  ops::Fused first_, last_;
  Tensor<D> weight_, bias_;
  std::string name_;
};

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
      std::vector<int> inputs;
      for (const int slot : wires_[k].inputs) inputs.push_back(slot_[static_cast<std::size_t>(slot)]);
      auto step = steps_[k];
      std::size_t end = out;
      if (const auto conv = step.layer->as_convolution()) {
        auto fused = std::make_shared<FusedConvLayer<D>>(model_.context(), *conv, step.layer->describe());
        end = absorb(*fused, conv->outputs, k, inputs);
        fused->finish(model_.context());
        step.layer = std::move(fused);
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
  std::vector<bool> taken_;
  std::vector<int> slot_;  // of the old program in the new one
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
