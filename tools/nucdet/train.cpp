#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <optional>

#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/train/checkpoint.hpp"
#include "nucdet/train/trainer.hpp"
#include "nucdet/train/validate.hpp"
#include "nucdet/version.hpp"

#include "augmentation.hpp"
#include "commands.hpp"
#include "common.hpp"
#include "device.hpp"
#include "run_log.hpp"
#include "training.hpp"

namespace nucdet::program {

namespace {

using io::Metadata;
namespace fs = std::filesystem;

/// A number for people.
std::string rounded(double value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(4) << value;
  return text.str();
}

std::size_t points(const data::Dataset& set) {
  std::size_t sum = 0;
  for (const data::Sample& s : set) sum += s.points.size();
  return sum;
}

/// Everything that a resumed run must have in common with the one that it goes on with, and that detection must know.
Metadata describe_run(const TrainOptions& o, const RunData& data, const data::Normalization& normalization) {
  Metadata m = to_metadata(o.network);
  m.merge(io::to_metadata(normalization));
  m["nucdet.version"] = NUCDET_VERSION_STRING;
  m["pixels"] = "reference pixels, 0.25 um";
  m["label"] = o.label, m["label.alpha"] = io::number_text(o.alpha), m["label.radius"] = io::number_text(*o.radius);
  m["loss"] = o.loss, m["loss.lambda"] = io::number_text(o.lambda),
  m["loss.least_mean"] = io::number_text(o.least_mean);
  m["optimizer"] = o.optimizer, m["optimizer.rate"] = io::number_text(o.rate),
  m["optimizer.momentum"] = io::number_text(o.momentum);
  m["optimizer.decay"] = io::number_text(o.decay), m["optimizer.clip"] = io::number_text(o.clip);
  m["schedule"] = o.schedule, m["schedule.patience"] = io::number_text(static_cast<double>(o.patience)),
  m["schedule.warmup"] = io::number_text(static_cast<double>(*o.warmup));
  m["train.iterations"] = std::to_string(o.iterations), m["train.validate_every"] = std::to_string(o.validate_every);
  m["train.batch"] = std::to_string(o.batch), m["train.crop"] = std::to_string(o.crop),
  m["train.seed"] = std::to_string(o.seed);
  m["train.preset"] = o.preset, m["train.average"] = io::number_text(o.average);
  m["train.augmentation"] = message(describe(o.augment), ", balanced ", o.balanced);
  m["train.best"] = o.best;
  m["train.precision"] = o.device.precision;
  m["data.train"] = message(data.name, ": ", data.target.size(), " images, ", points(data.target), " nuclei");
  if (data.weights.size() > 1)
    for (const auto& [set, weight] : data.weights) m["data.weight." + set] = io::number_text(weight);
  m["data.validation"] = message(data.validation.size(), " images, ", points(data.validation), " nuclei");
  if (!data.auxiliary.empty())
    m["data.auxiliary"] =
        message(data.auxiliary.size(), " images, ", points(data.auxiliary), " nuclei, gamma ", o.gamma);
  m["data.licence"] = o.licence.empty() ? "not stated" : o.licence;
  std::string frozen;
  for (const std::string& block : o.freeze) frozen += (frozen.empty() ? "" : " ") + block;
  if (!frozen.empty()) m["train.frozen"] = frozen;
  if (!o.initial.empty()) m["train.initial"] = fs::path(o.initial).filename().string();
  return m;
}

/// Throws ArgumentError, naming all differences, if a checkpoint belongs to another run.
void check_same_run(const Metadata& checkpoint, const Metadata& wanted, const std::string& where,
                    bool more_iterations) {
  std::string differences;
  for (const auto& [key, value] : wanted) {
    if ((key == "train.iterations" && more_iterations) || key == "nucdet.version") continue;
    const auto found = checkpoint.find(key);
    // Checkpoints from before there was a choice.
    if (found == checkpoint.end() &&
        ((key == "train.precision" && value == "fp32") || (key == "network.maps" && value == "1")))
      continue;
    if (found == checkpoint.end() || found->second != value)
      differences +=
          message("\n  ", key, " is '", found == checkpoint.end() ? "missing" : found->second, "', now '", value, "'");
  }
  for (const auto& [key, value] : checkpoint)
    if (!key.starts_with("peaks.") && !wanted.contains(key))
      differences += message("\n  ", key, " is '", value, "', now missing");
  if (!differences.empty()) throw ArgumentError(message(where, ": cannot resume with other settings:", differences));
}

optim::Sgd sgd(const TrainOptions& o) { return {.momentum = o.momentum, .nesterov = o.momentum > 0, .decay = o.decay}; }
optim::Adam adam(const TrainOptions& o) {
  optim::Adam rule;
  rule.decay = o.decay, rule.decoupled = o.optimizer == "adamw";
  return rule;
}

train::TrainSettings settings_of(const TrainOptions& o) {
  train::TrainSettings s;
  s.iterations = o.iterations, s.validate_every = o.validate_every, s.clip_norm = o.clip, s.gamma = o.gamma;
  s.keep_best_f1 = o.best == "f1";
  s.average = o.average, s.stop_after = o.stop_after, s.validate_start = !o.initial.empty();
  s.rate.start = o.rate;
  if (o.schedule == "constant") s.rate.schedule = optim::Constant{.rate = o.rate};
  if (o.schedule == "cosine")
    s.rate.schedule = optim::Cosine{.rate = o.rate, .iterations = o.iterations, .warmup = *o.warmup};
  if (o.schedule == "plateau")
    s.rate.schedule = optim::Plateau{.patience = o.patience, .floor = std::min(1e-4, o.rate / 100)};
  return s;
}

data::CropSampler sampler_of(const TrainOptions& o, const RunData& data) {
  data::CropSampler s;
  s.crop = o.crop, s.batch = o.batch, s.seed = o.seed, s.balanced = o.balanced, s.set_weights = data.weights;
  s.augmentation = augmentation_of(o.augment);
  s.margin = std::max(48.0, 2 * *o.radius);
  return s;
}

/// The response that stands for the label's maximum.
float full_scale(const TrainOptions& o) { return o.loss == "weighted" ? loss::WeightedSquaredError{}.scale : 1.0f; }

/// How validation chooses thresholds: from those of the weights to start from, or 30 % of the full scale. A
/// classifier's map is smoothed.
train::ThresholdSearch thresholds_of(const TrainOptions& o, const std::optional<detect::LocalMaxima>& start) {
  train::ThresholdSearch search;
  search.peaks.relative = o.relative ? 0.4 : 0, search.peaks.smoothing = o.loss == "cross-entropy" ? 2.0 : 0.0;
  search.peaks.absolute = 0.3f * full_scale(o);
  if (start) search.peaks = *start;
  search.peaks.full_scale = full_scale(o);
  search.relative = o.relative, search.least_nuclei = o.least_nuclei;
  return search;
}

/// The paper's use of the network where nothing else is asked for, and what follows from label and loss.
TrainOptions settled(TrainOptions o) {
  const PaperUse use = paper_use(o.network.name);
  if (o.label == "auto") o.label = use.label;
  if (o.loss == "auto") o.loss = use.loss;
  if (!o.radius) o.radius = o.label == "gaussian" ? 16 : o.label == "disc" ? 8 : 15;
  if (!o.warmup) o.warmup = std::min<std::int64_t>(200, o.iterations / 20);
  if (o.loss == "cross-entropy" && o.label != "disc")
    throw ArgumentError(message("train: cross-entropy is for classes, the label is ", o.label, ", wanted disc"));
  o.network.maps = o.loss == "cross-entropy" ? 2 : 1;
  return o;
}

/// Class weights by the inverse of the share of pixels that lie in a disc, overlaps not counted.
loss::CrossEntropy balanced(const data::Dataset& set, double radius) {
  double pixels = 0;
  for (const data::Sample& s : set) pixels += static_cast<double>(view_of(s.image).shape.pixels());
  const double discs = static_cast<double>(points(set)) * 3.14159265 * radius * radius;
  return loss::CrossEntropy::balanced(std::clamp(discs / pixels, 0.001, 0.5));
}

/// Writes the log, the best weights and, last, the checkpoint, after each validation.
template <class Trainer>
class Recorder {
 public:
  Recorder(Trainer& trainer, const TrainOptions& options, const Metadata& metadata,
           const train::ThresholdSearch& search, RunLog& log)
      : trainer_(trainer),
        options_(options),
        metadata_(metadata),
        search_(search),
        log_(log),
        progress_("iteration", options.iterations, trainer.state().iteration, options.quiet) {}

  void on_step(const train::StepReport& report) {
    log_.add(report);
    mean_ = mean_ == 0 ? report.loss : 0.98 * mean_ + 0.02 * report.loss;
    std::ostringstream note;
    note << std::setprecision(4) << "loss " << mean_ << "  rate " << report.rate << "  " << std::fixed
         << std::setprecision(1) << static_cast<double>(report.images) / report.seconds << " images/s";
    progress_.update(report.iteration, note.str());
  }
  void on_weights(const train::Validation& found) const {
    const fs::path folder = options_.out;
    if (found.best) save(folder / "best.safetensors", found);
    if (options_.snapshot_every > 0 && found.iteration % options_.snapshot_every == 0)
      save(folder / message("snapshot-", found.iteration, ".safetensors"), found);
  }
  void on_validation(const train::Validation& found) {
    const fs::path folder = options_.out;
    log_.add(found);
    log_.write(folder);
    Metadata checkpoint = metadata_;
    add_thresholds(checkpoint, found);
    train::save_checkpoint(folder / "last.safetensors", trainer_, checkpoint);
    if (!options_.quiet) say(found);
  }

 private:
  /// Weights, with the thresholds that go with them.
  void save(const fs::path& path, const train::Validation& found) const {
    Metadata weights = metadata_;
    add_thresholds(weights, found);
    weights["train.iteration"] = std::to_string(found.iteration);
    weights["validation.f1"] = io::number_text(found.f1), weights["validation.loss"] = io::number_text(found.loss);
    weights["validation.worst"] = io::number_text(found.worst);
    if (found.sets.size() > 1)
      for (const auto& [set, f1] : found.sets) weights["validation.f1." + set] = io::number_text(f1);
    io::save_weights(path, trainer_.model(), weights);
  }
  void add_thresholds(Metadata& m, const train::Validation& found) const {
    detect::LocalMaxima peaks = search_.peaks;
    peaks.relative = found.xi, peaks.absolute = static_cast<float>(found.floor);
    io::write_peaks(peaks, m);
  }
  void say(const train::Validation& found) const {
    std::string sets;
    if (found.sets.size() > 1)
      for (const auto& [set, f1] : found.sets) sets += message(sets.empty() ? "  (" : ", ", set, ' ', rounded(f1));
    std::fprintf(stderr, "%siteration %lld  validation loss %.5f  F1 %.4f%s at threshold %.2f%s%s\n",
                 progress_.terminal() ? "\r\033[K" : "", static_cast<long long>(found.iteration), found.loss, found.f1,
                 (sets.empty() ? sets : sets + ")").c_str(),
                 found.floor / static_cast<double>(search_.peaks.full_scale),
                 found.xi > 0 ? message(", xi ", found.xi).c_str() : "", found.best ? "  (best)" : "");
  }

  Trainer& trainer_;
  const TrainOptions& options_;
  const Metadata& metadata_;
  const train::ThresholdSearch& search_;
  RunLog& log_;
  Progress progress_;
  double mean_ = 0;
};

/// What a run is made of, besides its types.
template <class Device>
struct Run {
  nn::Model<Device>& model;
  const TrainOptions& options;
  const RunData& data;
  const Metadata& metadata;
  const train::ThresholdSearch& search;
};

template <class Loss, class Profile, class Rule, class Device>
train::Validation run(const Run<Device>& r, const Loss& loss, const Profile& profile, const Rule& rule) {
  const TrainOptions& o = r.options;
  train::Trainer<Loss, Profile, Rule, Device> trainer(r.model, loss, profile, rule, sampler_of(o, r.data),
                                                      settings_of(o));
  RunLog log(std::min<std::int64_t>(50, o.validate_every));
  const fs::path last = fs::path(o.out) / "last.safetensors";
  if (o.resume && fs::exists(last)) {
    const io::SafeTensorFile file = io::read_safetensors(last);
    check_same_run(file.metadata, r.metadata, last.string(), o.schedule != "cosine");
    train::restore_checkpoint(file, last.string(), trainer);
    log.resume(fs::path(o.out) / "log.csv", trainer.state().iteration);
    if (!o.quiet)
      std::fprintf(stderr, "resuming after iteration %lld\n", static_cast<long long>(trainer.state().iteration));
  }
  const auto validate = [&](const nn::Model<Device>& m) {
    return train::validate(m, loss, profile, r.data.validation, r.search);
  };
  {
    Recorder<train::Trainer<Loss, Profile, Rule, Device>> recorder(trainer, o, r.metadata, r.search, log);
    trainer.fit({r.data.target, r.data.auxiliary.empty() ? nullptr : &r.data.auxiliary}, validate, recorder);
  }
  if (const std::string note = trainer.capture_note(); !note.empty() && !o.quiet)
    std::fprintf(stderr, "steps were not replayed from a captured graph: %s\n", note.c_str());
  return trainer.state().best;
}

template <class Loss, class Profile, class Device>
train::Validation with_rule(const Run<Device>& r, const Loss& loss, const Profile& profile) {
  const TrainOptions& o = r.options;
  return o.optimizer == "sgd" ? run(r, loss, profile, sgd(o)) : run(r, loss, profile, adam(o));
}

template <class Loss, class Device>
train::Validation with_label(const Run<Device>& r, const Loss& loss) {
  const TrainOptions& o = r.options;
  const float radius = static_cast<float>(*o.radius);
  if (o.label == "gaussian") return with_rule(r, loss, label::GaussianDensity{.sigma = radius / 4});
  if (o.label == "disc") return with_rule(r, loss, label::Disc{.radius = radius});
  return with_rule(r, loss, label::ProximityMap{.alpha = static_cast<float>(o.alpha), .radius = radius});
}

template <class Device>
train::Validation with_loss(const Run<Device>& r) {
  const TrainOptions& o = r.options;
  if (o.loss == "cross-entropy")
    return with_rule(r, balanced(r.data.target, *o.radius), label::Disc{.radius = static_cast<float>(*o.radius)});
  if (o.loss == "squared") return with_label(r, loss::SquaredError{});
  loss::WeightedSquaredError weighted;
  weighted.lambda = static_cast<float>(o.lambda), weighted.least_mean = static_cast<float>(o.least_mean);
  return with_label(r, weighted);
}

/// The rule that was asked for. Constants are those of the training set, unless the weights to start from have some.
data::Normalization normalization_of(Context<Cpu>& context, const TrainOptions& o, const RunData& data,
                                     const std::optional<data::Normalization>& start) {
  if (start && (o.normalization == "auto" || o.normalization == data::name_of(*start))) return *start;
  if (o.normalization == "image") return data::ImageNormalization{};
  const data::FixedNormalization constants{data::constants_of(context, data.target)};
  if (o.normalization == "tissue") return data::TissueNormalization{.otherwise = constants};
  return constants;
}

}  // namespace

template <class Device>
train::Validation train_model(Context<Device>& context, const TrainOptions& asked, RunData data) {
  const TrainOptions o = settled(asked);
  make_folder(o.out);
  const auto model = make_network(context, o.network);
  std::optional<data::Normalization> start;
  std::optional<detect::LocalMaxima> peaks;
  if (!o.initial.empty()) {
    const LoadedModel<Device> from = load_model(context, o.initial);
    io::SafeTensorFile weights;
    io::append_weights(*from.model, weights);
    io::apply_weights(weights, *model, o.initial);
    start = from.normalization, peaks = from.peaks;
  }
  model->freeze(o.freeze);
  const data::Normalization normalization = normalization_of(context.host(), o, data, start);
  for (data::Dataset* set : {&data.target, &data.validation, &data.auxiliary})
    data::take_statistics(context.host(), normalization, *set);
  const Metadata metadata = describe_run(o, data, normalization);
  const train::ThresholdSearch search = thresholds_of(o, peaks);
  if (static_cast<Index>(points(data.validation)) < o.least_nuclei && !o.quiet)
    std::fprintf(stderr,
                 "%zu nuclei to validate with, fewer than %lld (--least-nuclei): the threshold is not chosen by them, "
                 "it stays %s\n",
                 points(data.validation), static_cast<long long>(o.least_nuclei),
                 peaks ? "that of the weights to start from" : "the default, 0.3");
  if (!o.quiet)
    std::fprintf(stderr, "%s, %lld parameters; %zu images to train on, %zu to validate with; %d threads\n",
                 describe(o.network).c_str(), static_cast<long long>(model->parameters()->parameter_count()),
                 data.target.size(), data.validation.size(), context.threads());
  return with_loss(Run<Device>{*model, o, data, metadata, search});
}

template train::Validation train_model(Context<Cpu>&, const TrainOptions&, RunData);
#ifdef NUCDET_WITH_CUDA
template train::Validation train_model(Context<Cuda>&, const TrainOptions&, RunData);
#endif

namespace {

template <class Device>
int train_on(Context<Device>& context, const TrainOptions& o) {
  const train::Validation best = train_model(context, o, load_run_data(context.host(), o));
  const double scale = static_cast<double>(full_scale(settled(o)));
  std::cout << (fs::path(o.out) / "best.safetensors").string() << ": validation F1 " << std::fixed
            << std::setprecision(4) << best.f1 << " at threshold " << std::setprecision(2) << best.floor / scale;
  if (best.xi > 0) std::cout << " and xi " << best.xi;
  std::cout << ", iteration " << best.iteration << '\n';
  if (!o.initial.empty() && best.iteration == 0)
    std::cout << "nothing better came than the weights to start from: these were kept\n";
  return 0;
}

}  // namespace

int train(const TrainOptions& asked) {
  TrainOptions o = asked;
  if (o.preset == "finetune" && o.initial.empty()) o.initial = default_model();
  make_folder(o.out);
  const fs::path last = fs::path(o.out) / "last.safetensors";
  if (!o.resume && fs::exists(last))
    throw ArgumentError(
        message(last.string(), " is there already: --resume goes on with it, another --out starts anew"));
  return on_device(o.device, {.seed = o.seed}, o.quiet, [&](auto& context) { return train_on(context, o); });
}

}  // namespace nucdet::program
