#pragma once
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "nucdet/data/sampler.hpp"
#include "nucdet/label/render.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/mix.hpp"
#include "nucdet/nn/model.hpp"
#include "nucdet/optim/clip.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"
#include "nucdet/train/state.hpp"

namespace nucdet::train {

/// The data of a run: the set that the detector is for, and possibly another that is mixed in, a batch from each per
/// step.
struct Sources {
  const data::Dataset& target;
  const data::Dataset* auxiliary = nullptr;
};

/// The training loop: crops -> labels -> network -> loss -> gradients -> step. It owns the optimiser's numbers and
/// nothing it did not make; model and data stay the caller's.
///
/// Everything random is a function of the seeds and the iteration, so that a run restored from a checkpoint goes on bit
/// for bit.
template <class Loss, class Profile, optim::StepRule Rule = optim::Sgd>
class Trainer {
 public:
  Trainer(nn::Model<Cpu>& model, Loss loss, Profile profile, Rule rule, data::CropSampler sampler,
          TrainSettings settings)
      : model_(model), loss_(loss), profile_(profile), rule_(rule), sampler_(std::move(sampler)), settings_(settings) {
    settings_.check(), rule_.check(), profile_.check();
    if (model.parameters()->dtype() != DType::f32) throw ArgumentError("Trainer: the model must be f32");
    optimizer_.assign(values().size() * static_cast<std::size_t>(Rule::states), 0.0f);
    if (const auto* plateau = std::get_if<optim::Plateau>(&settings_.rate.schedule))
      state_.plateau = plateau->start(settings_.rate.start);
    for (const nn::ParameterEntry& e : model.parameters()->entries())
      if (!e.statistic) segments_.push_back({e.offset, e.count, e.decay, e.frozen});
  }

  const TrainState& state() const { return state_; }
  const TrainSettings& settings() const { return settings_; }
  nn::Model<Cpu>& model() { return model_; }
  const nn::Model<Cpu>& model() const { return model_; }

  /// One iteration. Throws NumericError if the loss or a gradient is not finite; the weights are then those before it.
  StepReport step(const Sources& sources) {
    const auto begin = std::chrono::steady_clock::now();
    const std::int64_t iteration = state_.iteration;
    Context<Cpu>& context = model_.context();
    Batch batch = draw(sources, iteration);
    nn::Tape<Cpu> tape;
    const Tensor<Cpu> y =
        model_.forward(batch.images, {.mode = nn::Mode::training, .tape = &tape, .iteration = iteration});
    Tensor<Cpu> dy = context.make(y.shape());
    StepReport report{iteration + 1, 0, rate(), 0, 0, batch.images.shape().n};
    report.loss = loss::evaluate(context, loss_, y.template view<const float>(),
                                 std::as_const(batch.labels).template view<const float>(), batch.weights,
                                 dy.template view<float>());
    check_finite("loss", report.loss, iteration);
    model_.zero_gradients();
    model_.backward(dy, tape);
    const std::span<float> slopes = gradients();
    report.gradient_norm = settings_.clip_norm > 0 ? optim::clip_norm(context, slopes, settings_.clip_norm, segments_)
                                                   : optim::gradient_norm(context, slopes, segments_);
    check_finite("gradient norm", report.gradient_norm, iteration);
    optim::step(context, rule_, report.rate, iteration, values(), slopes, optimizer_, segments_);
    ++state_.iteration;
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
  }

  /// Steps until the iterations are done or the schedule says stop. validate(model) -> Validation is asked every
  /// `validate_every` iterations and at the end. Each callback may have on_step(StepReport) and
  /// on_validation(Validation), which is called after the state was brought up to date, so that it can save a
  /// checkpoint.
  template <class Validate, class... Callbacks>
  void fit(const Sources& sources, Validate&& validate, Callbacks&&... callbacks) {
    while (state_.iteration < settings_.iterations && !finished()) {
      [[maybe_unused]] const StepReport report = step(sources);
      (notify_step(callbacks, report), ...);
      if (state_.iteration % settings_.validate_every != 0 && state_.iteration != settings_.iterations) continue;
      Validation found = validate(std::as_const(model_));
      found.iteration = state_.iteration;
      take(found);
      (notify_validation(callbacks, found), ...);
    }
  }

  /// True once the plateau schedule's rate has fallen below its floor.
  bool finished() const {
    const auto* plateau = std::get_if<optim::Plateau>(&settings_.rate.schedule);
    return plateau != nullptr && plateau->finished(state_.plateau);
  }

  /// What a checkpoint keeps besides the model's weights (train/checkpoint.hpp writes and restores it).
  std::span<const float> optimizer_state() const { return optimizer_; }
  std::span<float> optimizer_state() { return optimizer_; }
  void set_state(const TrainState& state) { state_ = state; }

 private:
  struct Batch {
    Tensor<Cpu> images, labels;
    std::vector<float> weights;
  };

  Batch draw(const Sources& sources, std::int64_t iteration) {
    Context<Cpu>& context = model_.context();
    const Index each = sampler_.batch, size = sampler_.crop, sets = sources.auxiliary != nullptr ? 2 : 1;
    const Index maps = loss_.target_maps(model_.out_channels());
    Batch batch{context.make({sets * each, size, size, model_.in_channels()}),
                context.make({sets * each, size, size, maps}),
                {}};
    std::vector<loss::Origin> origins;
    for (Index set = 0; set < sets; ++set) {
      data::CropSampler sampler = sampler_;
      sampler.seed += static_cast<std::uint64_t>(set);
      const View<float> all = batch.images.template view<float>();
      const View<float> images({all.pixel(set * each, 0, 0), {each, size, size, all.shape.c}});
      sampler.draw(context, set == 0 ? sources.target : *sources.auxiliary, iteration, images, points_);
      for (Index n = 0; n < each; ++n) {
        for (Index map = 0; map < maps; ++map)
          label::render(context, profile_, points_[static_cast<std::size_t>(n)],
                        batch.labels.template view<float>().image(set * each + n).channels(map, 1));
        origins.push_back(set == 0 ? loss::Origin::target : loss::Origin::auxiliary);
      }
    }
    if (sets == 2) batch.weights = loss::mix_weights(origins, settings_.gamma);
    return batch;
  }

  double rate() const {
    if (std::holds_alternative<optim::Plateau>(settings_.rate.schedule)) return state_.plateau.rate;
    if (const auto* constant = std::get_if<optim::Constant>(&settings_.rate.schedule))
      return (*constant)(state_.iteration);
    return std::get<optim::Cosine>(settings_.rate.schedule)(state_.iteration);
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

  template <class Callback>
  static void notify_step(Callback& callback, const StepReport& report) {
    if constexpr (requires { callback.on_step(report); }) callback.on_step(report);
  }
  template <class Callback>
  static void notify_validation(Callback& callback, const Validation& validation) {
    if constexpr (requires { callback.on_validation(validation); }) callback.on_validation(validation);
  }

  std::span<float> values() { return span_of(model_.parameters()->values()); }
  std::span<float> gradients() { return span_of(model_.parameters()->gradients()); }
  static std::span<float> span_of(Tensor<Cpu>& t) {
    return {t.template view<float>().data, static_cast<std::size_t>(t.shape().count())};
  }

  nn::Model<Cpu>& model_;
  Loss loss_;
  Profile profile_;
  Rule rule_;
  data::CropSampler sampler_;
  TrainSettings settings_;
  TrainState state_;
  std::vector<float> optimizer_;
  std::vector<optim::Segment> segments_;
  std::vector<std::vector<Point>> points_;
};

}  // namespace nucdet::train
