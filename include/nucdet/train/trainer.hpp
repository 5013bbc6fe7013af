#pragma once
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "nucdet/core/captured_work.hpp"
#include "nucdet/nn/model.hpp"
#include "nucdet/optim/clip.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"
#include "nucdet/train/average.hpp"
#include "nucdet/train/batch.hpp"
#include "nucdet/train/callbacks.hpp"
#include "nucdet/train/course.hpp"
#include "nucdet/train/reducer.hpp"
#include "nucdet/train/settings.hpp"
#include "nucdet/train/state.hpp"

namespace nucdet::train {

namespace detail {
/// What a step tells the host, in one copy.
template <std::size_t Tasks>
struct StepNumbers {
  double losses[Tasks], squared_norm;
};
}  // namespace detail

/// The training loop: crops -> labels -> network -> losses -> gradients -> step. It owns the optimiser's numbers and
/// nothing it did not make; model and data stay the caller's. One thread at a time.
///
/// Everything random is a function of the seeds and the iteration, so that a run restored from a checkpoint goes on bit
/// for bit.
///
/// With a reducer several ranks train one model: the sampler's batch is of each, weights are the same bits everywhere
/// after each step, and follow those of one process with the batch of all within rounding.
template <class Tasks, optim::StepRule Rule = optim::Sgd, class Device = Cpu, class Sampler = data::CropSampler,
          class Reduce = Single>
requires Reducer<Reduce, Device>
class Trainer {
 public:
  /// tasks: a tuple of Task, one for each output that is to learn something.
  Trainer(nn::Model<Device>& model, Tasks tasks, Rule rule, Sampler sampler, TrainSettings settings,
          Reduce reducer = {})
      : model_(model),
        tasks_(std::move(tasks)),
        outputs_(detail::outputs_of(model, tasks_)),
        rule_(rule),
        settings_(std::move(settings)),
        reducer_(std::move(reducer)),
        segments_(model.context(), segments_of(model), detail::span_of(model.parameters()->values()).size()),
        batch_(model.context(), tasks_, detail::of_rank(std::move(sampler), reducer_.ranks()), settings_.gamma),
        numbers_(model.context(), 1) {
    settings_.check(), rule_.check();
    if (model.parameters()->dtype() != DType::f32) throw ArgumentError("Trainer: the model must be f32");
    if (nn::map_type(model.context(), DType::f32) == DType::f16)
      throw ArgumentError("Trainer: fp16 is for inference, its gradients vanish; bf16 is as fast");
    const Index numbers = static_cast<Index>(values().size()) * Rule::states;
    optimizer_ = model.context().zeros({1, 1, 1, numbers});
    if (const auto* plateau = std::get_if<optim::Plateau>(&settings_.rate.schedule))
      state_.plateau = plateau->start(settings_.rate.start);
    if (settings_.average > 0) average_.emplace(model, settings_.average);
  }

  /// Of a network with one output, or of its first.
  template <class Loss, class Y>
  Trainer(nn::Model<Device>& model, Loss loss, Y label, Rule rule, Sampler sampler, TrainSettings settings,
          Reduce reducer = {})
      : Trainer(model, Tasks(Task<Loss, Y>{loss, label}), rule, std::move(sampler), std::move(settings),
                std::move(reducer)) {}

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
    settle(sources);
    batch_.draw(sources, iteration);
    Ranks* const ranks = reducer_.ranks();
    const Index images = batch_.images().shape().n * (ranks != nullptr ? ranks->count() : 1);
    StepReport report{iteration + 1, 0, detail::rate_of(settings_, state_), 0, 0, images};
    differentiate_->run();
    batch_.prepare(sources, iteration + 1);
    if (ranks != nullptr) share(*ranks);
    const auto found = numbers_.read(context)[0];
    for (const double loss : found.losses) report.loss += loss;
    report.gradient_norm = std::sqrt(found.squared_norm);
    detail::check_finite("loss", report.loss, iteration);
    detail::check_finite("gradient norm", report.gradient_norm, iteration);
    if (settings_.clip_norm > 0)
      optim::limit_norm(context, gradients(), report.gradient_norm, settings_.clip_norm, segments_);
    optim::step(context, rule_, report.rate, iteration, values(), gradients(), detail::span_of(optimizer_), segments_);
    if (average_) average_->update(iteration);
    ++state_.iteration;
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
  }

  /// Steps until the iterations are done, a validation says stop (see finished) or a callback asks for it.
  /// validate(model) -> Validation is asked every `validate_every` iterations, at the end, and before the first step if
  /// the settings say so; the model then holds the moving average, if there is one. After one that throws the trainer
  /// is as it was before, and may be saved; the next call begins with that validation. See Callback for the others.
  template <class Validate, class... Callbacks>
  void fit(const Sources& sources, Validate&& validate, Callbacks&&... callbacks) {
    static_assert((is_callback<Callbacks> && ...),
                  "nucdet: a callback needs on_step, on_weights, on_validation or stop_requested (see "
                  "train/callbacks.hpp)");
    if (settings_.validation_due(state_)) validate_now(validate, callbacks...);
    for (bool done = finished(); !done && state_.iteration < settings_.iterations;) {
      [[maybe_unused]] const StepReport report = step(sources);
      [[maybe_unused]] const auto tell = [&](auto& c) {
        if constexpr (detail::OnStep<std::remove_reference_t<decltype(c)>>) c.on_step(report);
      };
      (tell(callbacks), ...);
      if (settings_.validation_due(state_)) {
        validate_now(validate, callbacks...);
        done = finished();
      }
      done = done || detail::any(reducer_.ranks(), (asks_to_stop(callbacks) || ...));
    }
  }

  /// True once the plateau schedule's rate has fallen below its floor, or nothing better came for too long.
  bool finished() const { return detail::is_finished(settings_, state_); }

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
  static constexpr std::size_t kTasks = std::tuple_size_v<Tasks>;

  /// Memory for batches of these data sets. What was captured with other memory or other blocks frozen is void.
  void settle(const Sources& sources) {
    Context<Device>& context = model_.context();
    const bool masked = sources.masked();
    if (batch_.images() && batch_.images().shape().n == batch_.images_for(sources.sets()) &&
        batch_.masked() == masked && freezings_ == model_.freezings())
      return;
    freezings_ = model_.freezings();
    segments_ = optim::SegmentList<Device>(context, segments_of(model_), values().size());
    batch_.make(model_, outputs_, sources.sets(), masked);
    differentiate_.emplace(context, [this] { differentiate(); });
  }

  /// Loss, gradients and (of one process alone) their norm, without waiting for the device.
  void differentiate() {
    Context<Device>& context = model_.context();
    nn::Tape<Device> tape;
    tape.ranks = reducer_.ranks(), tape.joint_statistics = settings_.joint_statistics;
    const auto& ys =
        model_.outputs(batch_.images(), {.mode = nn::Mode::training, .tape = &tape, .draw = batch_.number()});
    std::vector<Tensor<Device>> dys(ys.size());
    auto& numbers = *numbers_.data();
    detail::for_each_task(tasks_, [&](const auto& task, std::size_t i) {
      const Tensor<Device>& y = ys[outputs_[i]];
      Tensor<Device>& dy = dys[outputs_[i]] = context.make(y.shape());
      loss::evaluate_into<float>(context, task.loss, y.template view<const float>(),
                                 batch_.labels(i).template view<const float>(), batch_.weights(i),
                                 dy.template view<float>(), &numbers.losses[i], batch_.mask(i));
    });
    gradients_ = {};
    model_.zero_gradients();
    gradients_ = model_.parameters()->gradients();  // where a captured step puts them again, whoever else asks for some
    if constexpr (EarlyReducer<Reduce, Device>)
      tape.on_final = [this, &context](Index from) {
        reducer_.begin_mean(context, gradients(), static_cast<std::size_t>(from));
      };
    try {
      model_.backward(dys, tape);
    } catch (...) {
      if constexpr (EarlyReducer<Reduce, Device>) reducer_.abandon_mean();
      throw;
    }
    if (reducer_.ranks() == nullptr) find_norm();
  }
  void find_norm() {
    optim::squared_norm_into(model_.context(), std::span<const float>(gradients()), segments_,
                             &numbers_.data()->squared_norm);
  }

  /// Losses and gradients of this rank become those of all.
  void share(Ranks& ranks) {
    Context<Device>& context = model_.context();
    reducer_.mean(context, gradients());
    find_norm();
    auto numbers = numbers_.read(context)[0];
    detail::mean(ranks, numbers.losses);
    context.upload(numbers_.data(), &numbers, sizeof numbers);
  }

  template <class C>
  static bool asks_to_stop(C& callback) {
    if constexpr (detail::AsksToStop<C>) return static_cast<bool>(callback.stop_requested());
    return false;
  }
  template <class Validate, class... Callbacks>
  void validate_now(Validate& validate, Callbacks&... callbacks) {
    Validation found;
    {
      const AverageInPlace<Device> held(average_ ? &*average_ : nullptr);
      found = validate(std::as_const(model_));
      found.iteration = state_.iteration;
      detail::take(settings_, found, state_);
      [[maybe_unused]] const auto tell = [&](auto& c) {
        if constexpr (detail::OnWeights<std::remove_reference_t<decltype(c)>>) c.on_weights(found);
      };
      (tell(callbacks), ...);
    }
    [[maybe_unused]] const auto tell = [&](auto& c) {
      if constexpr (detail::OnValidation<std::remove_reference_t<decltype(c)>>) c.on_validation(found);
    };
    (tell(callbacks), ...);
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
  Tasks tasks_;
  std::array<std::size_t, kTasks> outputs_;  ///< of each task
  Rule rule_;
  TrainSettings settings_;
  [[no_unique_address]] Reduce reducer_;
  TrainState state_;
  Tensor<Device> optimizer_, gradients_;
  optim::SegmentList<Device> segments_;
  Batch<Tasks, Device, Sampler> batch_;
  DeviceArray<detail::StepNumbers<kTasks>, Device> numbers_;
  std::optional<CapturedWork<Device>> differentiate_;
  std::optional<WeightAverage<Device>> average_;
  int freezings_ = 0;
};

template <class Device, class Loss, class Y, class Rule, class Sampler, class Reduce = Single>
Trainer(nn::Model<Device>&, Loss, Y, Rule, Sampler, TrainSettings, Reduce = {})
    -> Trainer<std::tuple<Task<Loss, Y>>, Rule, Device, Sampler, Reduce>;
template <class Device, class... Tasks, class Rule, class Sampler, class Reduce = Single>
Trainer(nn::Model<Device>&, std::tuple<Tasks...>, Rule, Sampler, TrainSettings, Reduce = {})
    -> Trainer<std::tuple<Tasks...>, Rule, Device, Sampler, Reduce>;

}  // namespace nucdet::train

#ifdef NUCDET_PREBUILT
#include "nucdet/train/prebuilt.hpp"
#endif
