#pragma once
#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "nucdet/core/captured_work.hpp"
#include "nucdet/data/resident.hpp"
#include "nucdet/data/sampler.hpp"
#include "nucdet/label/render_batch.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/mix.hpp"
#include "nucdet/nn/model.hpp"
#include "nucdet/optim/clip.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"
#include "nucdet/train/average.hpp"
#include "nucdet/train/state.hpp"

namespace nucdet::train {

/// The data of a run: the set that the detector is for, and possibly another that is mixed in, a batch from each per
/// step.
struct Sources {
  const data::Dataset& target;
  const data::Dataset* auxiliary = nullptr;
};

namespace detail {
/// What a step tells the host, in one copy.
struct StepNumbers {
  double loss = 0, squared_norm = 0;
};
}  // namespace detail

/// The training loop: crops -> labels -> network -> loss -> gradients -> step. It owns the optimiser's numbers and
/// nothing it did not make; model and data stay the caller's.
///
/// Everything random is a function of the seeds and the iteration, so that a run restored from a checkpoint goes on bit
/// for bit.
template <class Loss, class Profile, optim::StepRule Rule = optim::Sgd, class Device = Cpu,
          class Sampler = data::CropSampler>
class Trainer {
 public:
  Trainer(nn::Model<Device>& model, Loss loss, Profile profile, Rule rule, Sampler sampler, TrainSettings settings)
      : model_(model),
        loss_(loss),
        profile_(profile),
        rule_(rule),
        sampler_(std::move(sampler)),
        settings_(settings),
        segments_(model.context(), segments_of(model), detail::span_of(model.parameters()->values()).size()) {
    settings_.check(), rule_.check(), profile_.check();
    if (model.parameters()->dtype() != DType::f32) throw ArgumentError("Trainer: the model must be f32");
    if (nn::map_type(model.context(), DType::f32) == DType::f16)
      throw ArgumentError("Trainer: fp16 is for inference, its gradients vanish; bf16 is as fast");
    const Index numbers = static_cast<Index>(values().size()) * Rule::states;
    optimizer_ = model.context().zeros({1, 1, 1, numbers});
    if (const auto* plateau = std::get_if<optim::Plateau>(&settings_.rate.schedule))
      state_.plateau = plateau->start(settings_.rate.start);
    if (settings_.average > 0) average_.emplace(model, settings_.average);
  }

  // Steps refer to the trainer's own memory.
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  const TrainState& state() const { return state_; }
  /// Why steps are not replayed from a captured graph; empty on the CPU and while nothing is known against it.
  std::string capture_note() const { return differentiate_ ? std::string(differentiate_->note()) : std::string(); }
  nn::Model<Device>& model() { return model_; }
  const nn::Model<Device>& model() const { return model_; }

  /// One iteration. Throws NumericError if loss or gradient is not finite: weights stay, running statistics have moved.
  StepReport step(const Sources& sources) {
    const auto begin = std::chrono::steady_clock::now();
    const std::int64_t iteration = state_.iteration;
    Context<Device>& context = model_.context();
    draw(sources, iteration);
    StepReport report{iteration + 1, 0, rate(), 0, 0, batch_.images.shape().n};
    differentiate_->run();
    prepare(sources, iteration + 1);
    const detail::StepNumbers found = batch_.numbers.read(context)[0];
    report.loss = found.loss, report.gradient_norm = std::sqrt(found.squared_norm);
    check_finite("loss", report.loss, iteration);
    check_finite("gradient norm", report.gradient_norm, iteration);
    if (settings_.clip_norm > 0)
      optim::limit_norm(context, gradients(), report.gradient_norm, settings_.clip_norm, segments_);
    optim::step(context, rule_, report.rate, iteration, values(), gradients(), detail::span_of(optimizer_), segments_);
    if (average_) average_->update(iteration);
    ++state_.iteration;
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
  }

  /// Steps until the iterations are done or a validation says stop (see finished). validate(model) -> Validation is
  /// asked every `validate_every` iterations, at the end, and before the first step if the settings say so; the model
  /// then holds the moving average, if there is one. Each callback may have on_step(StepReport);
  /// on_weights(Validation), while the model holds the weights that were validated; and on_validation(Validation),
  /// after, to save a checkpoint.
  template <class Validate, class... Callbacks>
  void fit(const Sources& sources, Validate&& validate, Callbacks&&... callbacks) {
    const bool fresh = state_.iteration == 0 && state_.best.iteration < 0;
    if (fresh && settings_.validate_start) validate_now(validate, callbacks...);
    for (bool done = finished(); !done && state_.iteration < settings_.iterations;) {
      [[maybe_unused]] const StepReport report = step(sources);
      [[maybe_unused]] const auto tell = [&](auto& c) {
        if constexpr (requires { c.on_step(report); }) c.on_step(report);
      };
      (tell(callbacks), ...);
      if (state_.iteration % settings_.validate_every != 0 && state_.iteration != settings_.iterations) continue;
      validate_now(validate, callbacks...);
      done = finished();
    }
  }

  /// True once the plateau schedule's rate has fallen below its floor, or nothing better came for too long.
  bool finished() const {
    const auto* plateau = std::get_if<optim::Plateau>(&settings_.rate.schedule);
    const std::int64_t since = state_.best.iteration < 0 ? 0 : state_.iteration - state_.best.iteration;
    return (settings_.stop_after > 0 && since >= settings_.stop_after) ||
           (plateau != nullptr && plateau->finished(state_.plateau));
  }

  /// What a checkpoint keeps besides the model's weights (train/checkpoint.hpp writes and restores it).
  std::vector<float> optimizer_state() const {
    std::vector<float> numbers(static_cast<std::size_t>(optimizer_.shape().count()));
    model_.context().download(numbers.data(), optimizer_.template view<const float>().data,
                              numbers.size() * sizeof(float));
    return numbers;
  }
  void set_optimizer_state(std::span<const float> numbers) {
    const std::span<float> to = detail::span_of(optimizer_);
    if (numbers.size() != to.size())
      throw ShapeError(message("Trainer: optimiser state of ", numbers.size(), " numbers, wanted ", to.size()));
    model_.context().upload(to.data(), numbers.data(), numbers.size() * sizeof(float));
  }
  void set_state(const TrainState& state) { state_ = state; }
  /// The moving average's numbers; none without one.
  std::vector<float> average() const { return average_ ? average_->numbers() : std::vector<float>(); }
  void set_average(std::span<const float> numbers) {
    if (average_) average_->set_numbers(numbers);
  }

 private:
  /// A step's inputs and what it tells the host: the same memory in every step, so that a step can be captured.
  struct Batch {
    Tensor<Device> images, labels;
    DeviceArray<float, Device> weights;
    DeviceArray<std::uint64_t, Device> draw;  ///< see nn::Pass
    DeviceArray<detail::StepNumbers, Device> numbers;
  };

  /// Memory for batches of `sets` data sets. What was captured with other memory or other blocks frozen is void.
  void make_batch(Index sets) {
    Context<Device>& context = model_.context();
    const Index each = sampler_.batch, size = sampler_.crop, maps = loss_.target_maps(model_.out_channels());
    if (batch_.images && batch_.images.shape().n == sets * each && freezings_ == model_.freezings()) return;
    freezings_ = model_.freezings();
    segments_ = optim::SegmentList<Device>(context, segments_of(model_), values().size());
    batch_ = {context.make({sets * each, size, size, model_.in_channels()}),
              context.make({sets * each, size, size, maps}),
              {context, sets == 2 ? static_cast<std::size_t>(2 * each) : 0},
              {context, 1},
              {context, 1}};
    differentiate_.emplace(context, [this] { differentiate(); });
  }

  void draw(const Sources& sources, std::int64_t iteration) {
    Context<Device>& context = model_.context();
    const Index each = sampler_.batch, sets = sources.auxiliary != nullptr ? 2 : 1;
    make_batch(sets);
    std::vector<loss::Origin> origins;
    for (Index set = 0; set < sets; ++set) {
      resident(set, set == 0 ? sources.target : *sources.auxiliary)
          .draw(context, sampler_of(set), iteration, images_of(batch_.images, set * each, each), shown_);
      label::render_batch(context, profile_, std::span<const AnnotatedPoints>(shown_),
                          images_of(batch_.labels, set * each, each));
      origins.insert(origins.end(), static_cast<std::size_t>(each),
                     set == 0 ? loss::Origin::target : loss::Origin::auxiliary);
    }
    if (sets == 2) {
      const std::vector<float> weights = loss::mix_weights(origins, settings_.gamma);
      context.upload(batch_.weights.data(), weights.data(), weights.size() * sizeof(float));
    }
    const std::uint64_t number = static_cast<std::uint64_t>(iteration) << 16;
    context.upload(batch_.draw.data(), &number, sizeof number);
  }
  static View<float> images_of(Tensor<Device>& batch, Index first, Index count) {
    const View<float> all = batch.template view<float>();
    return {all.pixel(first, 0, 0), {count, all.shape.h, all.shape.w, all.shape.c}};
  }
  /// The data set on the device, taken there when it is first seen.
  data::ResidentDataset<Device, Sampler>& resident(Index set, const data::Dataset& dataset) {
    auto& kept = resident_[set];
    if (!kept || &kept->host() != &dataset) kept.emplace(model_.context(), dataset);
    return *kept;
  }

  /// The host's part of the next batch, while the device works on this one.
  void prepare(const Sources& sources, std::int64_t iteration) {
    const Index each = sampler_.batch, sets = sources.auxiliary != nullptr ? 2 : 1;
    for (Index set = 0; set < sets; ++set)
      resident(set, set == 0 ? sources.target : *sources.auxiliary)
          .prepare(model_.context(), sampler_of(set), iteration, images_of(batch_.images, set * each, each).shape);
  }
  Sampler sampler_of(Index set) const {
    Sampler sampler = sampler_;
    if (set > 0) sampler.seed += 1, sampler.set_weights.clear();  // the weights are of the target's sets
    return sampler;
  }

  /// Loss, gradients and their norm, without waiting for the device.
  void differentiate() {
    Context<Device>& context = model_.context();
    nn::Tape<Device> tape;
    const Tensor<Device> y =
        model_.forward(batch_.images, {.mode = nn::Mode::training, .tape = &tape, .draw = batch_.draw.data()});
    Tensor<Device> dy = context.make(y.shape());
    detail::StepNumbers& numbers = *batch_.numbers.data();
    loss::evaluate_into<float>(
        context, loss_, y.template view<const float>(), std::as_const(batch_.labels).template view<const float>(),
        batch_.weights.size() == 0 ? nullptr : batch_.weights.data(), dy.template view<float>(), &numbers.loss);
    gradients_ = {};
    model_.zero_gradients();
    model_.backward(dy, tape);
    gradients_ = model_.parameters()->gradients();  // where a captured step puts them again, whoever else asks for some
    optim::squared_norm_into(context, std::span<const float>(gradients()), segments_, &numbers.squared_norm);
  }

  double rate() const {
    if (std::holds_alternative<optim::Plateau>(settings_.rate.schedule)) return state_.plateau.rate;
    if (const auto* constant = std::get_if<optim::Constant>(&settings_.rate.schedule))
      return (*constant)(state_.iteration);
    return std::get<optim::Cosine>(settings_.rate.schedule)(state_.iteration);
  }

  template <class Validate, class... Callbacks>
  void validate_now(Validate& validate, Callbacks&... callbacks) {
    Validation found;
    {
      const AverageInPlace<Device> held(average_ ? &*average_ : nullptr);
      found = validate(std::as_const(model_));
      found.iteration = state_.iteration;
      take(found);
      [[maybe_unused]] const auto tell = [&](auto& c) {
        if constexpr (requires { c.on_weights(found); }) c.on_weights(found);
      };
      (tell(callbacks), ...);
    }
    [[maybe_unused]] const auto tell = [&](auto& c) {
      if constexpr (requires { c.on_validation(found); }) c.on_validation(found);
    };
    (tell(callbacks), ...);
  }

  void take(Validation& found) {
    check_finite("validation loss", found.loss, found.iteration);
    if (const auto* plateau = std::get_if<optim::Plateau>(&settings_.rate.schedule))
      plateau->observe(state_.plateau, found.iteration, found.loss);
    const Validation& best = state_.best;
    found.best = best.iteration < 0 || (settings_.keep_best_f1 ? found.f1 > best.f1 : found.loss < best.loss);
    if (found.best) state_.best = found;
  }

  static void check_finite(const char* what, double value, std::int64_t iteration) {
    if (!std::isfinite(value))
      throw NumericError(message("training stopped at iteration ", iteration, ": the ", what, " is ", value,
                                 "; try a smaller learning rate or gradient clipping"));
  }

  std::span<float> values() { return detail::span_of(model_.parameters()->values()); }
  std::span<float> gradients() { return detail::span_of(gradients_); }
  static std::vector<optim::Segment> segments_of(const nn::Model<Device>& model) {
    std::vector<optim::Segment> segments;
    for (const nn::ParameterEntry& e : model.parameters()->entries())
      if (!e.statistic) segments.push_back({e.offset, e.count, e.decay, e.frozen});
    return segments;
  }

  nn::Model<Device>& model_;
  Loss loss_;
  Profile profile_;
  Rule rule_;
  Sampler sampler_;
  TrainSettings settings_;
  TrainState state_;
  Tensor<Device> optimizer_, gradients_;
  optim::SegmentList<Device> segments_;
  std::vector<AnnotatedPoints> shown_;
  std::optional<data::ResidentDataset<Device, Sampler>> resident_[2];
  Batch batch_;
  std::optional<CapturedWork<Device>> differentiate_;
  std::optional<WeightAverage<Device>> average_;
  int freezings_ = 0;
};

}  // namespace nucdet::train
