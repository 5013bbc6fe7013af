#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <optional>

#include "nucdet/io/head.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/label/class_disc.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/train/checkpoint.hpp"
#include "nucdet/train/trainer.hpp"
#include "nucdet/train/validate.hpp"

#include "commands.hpp"
#include "default_model.hpp"
#include "device.hpp"
#include "recorder.hpp"
#include "results.hpp"
#include "run_metadata.hpp"
#include "training.hpp"

namespace nucdet::program {

namespace {

using io::Metadata;
namespace fs = std::filesystem;

optim::Sgd sgd(const TrainOptions& o) { return {.momentum = o.momentum, .nesterov = o.momentum > 0, .decay = o.decay}; }
optim::Adam adam(const TrainOptions& o) {
  optim::Adam rule;
  rule.decay = o.decay, rule.decoupled = o.optimizer == "adamw";
  return rule;
}

train::TrainSettings settings_of(const TrainOptions& o) {
  train::TrainSettings s;
  s.iterations = o.iterations, s.validate_every = o.validate_every, s.clip_norm = o.clip, s.gamma = o.gamma;
  s.best = o.best == "f1" ? train::Best::f1 : o.best == "classes" ? train::Best::class_f1 : train::Best::loss;
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
  s.augmentation = o.augment;
  s.margin = std::max(48.0, 2 * *o.radius);
  return s;
}

/// The response that stands for the label's maximum.
float full_scale(const TrainOptions& o) { return o.loss == "weighted" ? loss::WeightedSquaredError{}.scale : 1.0f; }

/// How validation chooses thresholds: from those of the weights to start from, whose responses are parts of a full
/// scale of 1, or 30 %. A classifier's map is smoothed.
train::ThresholdSearch thresholds_of(const TrainOptions& o, const std::optional<detect::LocalMaxima>& start) {
  train::ThresholdSearch search;
  search.peaks.relative = o.relative ? 0.4 : 0, search.peaks.smoothing = o.loss == "cross-entropy" ? 2.0 : 0.0;
  if (start) search.peaks = *start;
  search.peaks.full_scale = full_scale(o);
  search.peaks.absolute = (start ? start->absolute : 0.3f) * full_scale(o);
  search.relative = o.relative, search.least_nuclei = o.least_nuclei;
  return search;
}

/// The network of the weights to start from, where no other was asked for. Throws ArgumentError for another one.
void take_network(TrainOptions& o) {
  models::NetworkChoice found = models::network_from(io::read_safetensors(o.initial).metadata, o.initial);
  const models::NetworkChoice usual;
  const bool unasked = o.network.name == usual.name && o.network.base == usual.base &&
                       o.network.context == usual.context && o.network.norm == usual.norm;
  found.maps = o.network.maps, found.classes = o.network.classes;  // these follow from loss and data
  if (unasked) o.network = found;
  if (o.network != found)
    throw ArgumentError(message("train: the network asked for is ", describe(o.network), ", the weights ", o.initial,
                                " are of ", describe(found)));
}

/// The paper's use of the network where nothing else is asked for, and what follows from label and loss.
TrainOptions settled(TrainOptions o) {
  const models::PaperUse use = models::paper_use(o.network.name);
  if (o.label == "auto") o.label = use.label;
  if (o.loss == "auto") o.loss = use.loss;
  if (!o.radius) o.radius = o.label == "gaussian" ? 16 : o.label == "disc" ? 8 : 15;
  if (!o.warmup) o.warmup = std::min<std::int64_t>(200, o.iterations / 20);
  if (o.loss == "cross-entropy" && o.label != "disc")
    throw ArgumentError(message("train: cross-entropy is for classes, the label is ", o.label, ", wanted disc"));
  o.network.maps = o.loss == "cross-entropy" ? 2 : 1;
  return o;
}

/// The classes of the data become the network's. Throws ArgumentError where they cannot be learnt.
void settle_classes(TrainOptions& o, const RunData& data) {
  o.network.classes = data.classes.size();
  if (data.classes.empty()) {
    if (o.best == "classes") throw ArgumentError("train: --best classes, but the points to train on have no classes");
    return;
  }
  const bool able = o.network.name == "micronet-lite" && (o.network.base == 8 || o.network.base == 32);
  if (!able || o.loss != "weighted" || o.label != "proximity" || data.classes.size() > 8)
    throw ArgumentError(message("train: the points have ", data.classes.size(),
                                " classes; up to 8 are learnt by --net ",
                                "micronet-lite of --base 8 or 32 with --loss weighted and --label proximity, not by ",
                                describe(o.network), ", ", o.loss, " and ", o.label, "; --no-classes leaves them out"));
}

/// "a, b, c"
std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

/// Throws ArgumentError unless weights to start from have no classes or the data's.
template <class Device>
void check_classes(const nn::Model<Device>& from, const ClassNames& classes, const std::string& where) {
  if (!from.head().classes.empty() && from.head().classes != classes.all())
    throw ArgumentError(message("train: the weights ", where, " tell ", joined(from.head().classes),
                                " apart, the points have ", classes.empty() ? "no classes" : joined(classes.all())));
}

/// What weights without classes lack stays as it was drawn.
template <class Device>
void append_missing(const nn::Model<Device>& model, io::SafeTensorFile& weights) {
  io::SafeTensorFile own;
  io::append_weights(model, own);
  for (io::SafeTensor& tensor : own.tensors)
    if (weights.find(tensor.name) == nullptr) weights.tensors.push_back(std::move(tensor));
}

/// Class weights by the inverse of the share of pixels that lie in a disc, overlaps not counted.
loss::CrossEntropy balanced(const data::Dataset& set, double radius) {
  double pixels = 0;
  for (const data::Sample& s : set) pixels += static_cast<double>(view_of(s.image).shape.pixels());
  const double discs = static_cast<double>(nuclei_in(set)) * 3.14159265 * radius * radius;
  return loss::CrossEntropy::balanced(std::clamp(discs / pixels, 0.001, 0.5));
}

/// The best weights are only in their file: without it a resumed run could end without any.
void check_best(const TrainOptions& o, const train::TrainState& state) {
  const fs::path best = fs::path(o.out) / "best.safetensors";
  if (state.best.iteration >= 0 && !fs::exists(best))
    throw IoError(message(best.string(), " is missing: it held the weights of iteration ", state.best.iteration,
                          ", the best so far, which --resume cannot make again"));
}

/// What a run is made of, besides its types.
template <class Device>
struct Run {
  nn::Model<Device>& model;
  const TrainOptions& options;
  const RunData& data;
  const Metadata& metadata;
  const train::ThresholdSearch& search;
};

template <class... Tasks, class Rule, class Device>
train::Validation run(const Run<Device>& r, const std::tuple<Tasks...>& tasks, const Rule& rule) {
  const TrainOptions& o = r.options;
  train::Trainer trainer(r.model, tasks, rule, sampler_of(o, r.data), settings_of(o));
  RunLog log(std::min<std::int64_t>(50, o.validate_every), static_cast<double>(full_scale(o)));
  const fs::path last = fs::path(o.out) / "last.safetensors";
  if (o.resume && fs::exists(last)) {
    const io::SafeTensorFile file = io::read_safetensors(last);
    check_same_run(file.metadata, r.metadata, last.string(), o.schedule != "cosine");
    train::restore_checkpoint(file, last.string(), trainer);
    check_best(o, trainer.state());
    log.resume(fs::path(o.out) / "log.csv", trainer.state().iteration);
    if (!o.quiet)
      std::fprintf(stderr, "resuming after iteration %lld\n", static_cast<long long>(trainer.state().iteration));
  }
  const auto validate = [&](const nn::Model<Device>& m) {
    return train::validate(m, tasks, r.data.validation, r.search);
  };
  {
    Recorder<decltype(trainer)> recorder(trainer, o, r.metadata, r.search, log);
    trainer.fit({r.data.target, r.data.auxiliary.empty() ? nullptr : &r.data.auxiliary}, validate, recorder);
  }
  if (const std::string note = trainer.capture_note(); !note.empty() && !o.quiet)
    std::fprintf(stderr, "steps were not replayed from a captured graph: %s\n", note.c_str());
  return trainer.state().best;
}

template <class Device, class... Tasks>
train::Validation with_rule(const Run<Device>& r, const Tasks&... tasks) {
  const TrainOptions& o = r.options;
  return o.optimizer == "sgd" ? run(r, std::tuple(tasks...), sgd(o)) : run(r, std::tuple(tasks...), adam(o));
}

template <class Loss, class Device>
train::Validation with_label(const Run<Device>& r, const Loss& loss) {
  const TrainOptions& o = r.options;
  const float radius = static_cast<float>(*o.radius);
  if (o.label == "gaussian") return with_rule(r, train::Task{loss, label::GaussianDensity{.sigma = radius / 4}});
  if (o.label == "disc") return with_rule(r, train::Task{loss, label::Disc{.radius = radius}});
  return with_rule(r, train::Task{loss, label::ProximityMap{.alpha = static_cast<float>(o.alpha), .radius = radius}});
}

/// The loss of the classes, each weighing the same. Throws ArgumentError for a class that the training images have not.
loss::ClassCrossEntropy class_loss(const RunData& data) {
  std::vector<Index> counts(static_cast<std::size_t>(data.classes.size()), 0);
  for (const data::Sample& s : data.target)
    for (const int c : s.classes)
      if (c != kUnknownClass) ++counts[static_cast<std::size_t>(c)];
  for (std::size_t c = 0; c < counts.size(); ++c)
    if (counts[c] == 0)
      throw ArgumentError(message("train: no nucleus of the class '", data.classes[static_cast<int>(c)],
                                  "' in the images to train on"));
  return loss::ClassCrossEntropy::balanced(counts);
}

/// Nuclei and their classes: the weighted loss on proximity, and the classes within half its radius.
template <class Device>
train::Validation with_classes(const Run<Device>& r, const loss::WeightedSquaredError& weighted) {
  const TrainOptions& o = r.options;
  const float radius = static_cast<float>(*o.radius);
  return with_rule(
      r, train::Task{weighted, label::ProximityMap{.alpha = static_cast<float>(o.alpha), .radius = radius}, "map"},
      train::Task{class_loss(r.data), label::ClassDisc{.radius = radius / 2}, "classes"});
}

template <class Device>
train::Validation with_loss(const Run<Device>& r) {
  const TrainOptions& o = r.options;
  if (o.loss == "cross-entropy")
    return with_rule(
        r, train::Task{balanced(r.data.target, *o.radius), label::Disc{.radius = static_cast<float>(*o.radius)}});
  if (o.loss == "squared") return with_label(r, loss::SquaredError{});
  loss::WeightedSquaredError weighted;
  weighted.lambda = static_cast<float>(o.lambda), weighted.least_mean = static_cast<float>(o.least_mean);
  if (o.network.classes > 0) return with_classes(r, weighted);
  return with_label(r, weighted);
}

/// The rule that was asked for. Constants are those of the training set, unless the weights to start from have that
/// rule.
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
  TrainOptions o = settled(asked);
  settle_classes(o, data);
  make_folder(o.out);
  const auto model = models::make_network(context, o.network);
  if (!data.classes.empty()) model->name_classes(data.classes.all());
  std::optional<data::Normalization> start;
  std::optional<detect::LocalMaxima> peaks;
  if (!o.initial.empty()) {
    const models::LoadedModel<Device> from = models::load_model(context, o.initial);
    io::SafeTensorFile weights;
    io::append_weights(*from.model, weights);
    check_classes(*from.model, data.classes, o.initial);
    if (from.model->head().classes.empty()) append_missing(*model, weights);
    io::apply_weights(weights, *model, o.initial);
    start = from.normalization, peaks = from.peaks;
    peaks->absolute /= from.full_response;  // the new loss may have another full scale
  }
  model->freeze(o.freeze);
  const data::Normalization normalization = normalization_of(context.host(), o, data, start);
  for (data::Dataset* set : {&data.target, &data.validation, &data.auxiliary})
    data::take_statistics(context.host(), normalization, *set);
  Metadata metadata = describe_run(o, data, normalization);
  io::write_head(model->head(), metadata);
  const train::ThresholdSearch search = thresholds_of(o, peaks);
  if (static_cast<Index>(nuclei_in(data.validation)) < o.least_nuclei && !o.quiet)
    std::fprintf(stderr,
                 "%zu nuclei to validate with, fewer than %lld (--least-nuclei): the threshold is not chosen by them, "
                 "it stays %s\n",
                 nuclei_in(data.validation), static_cast<long long>(o.least_nuclei),
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
  if (best.class_f1 >= 0) std::cout << ", mean F1 of the classes " << std::setprecision(4) << best.class_f1;
  std::cout << ", iteration " << best.iteration << '\n';
  if (!o.initial.empty() && best.iteration == 0)
    std::cout << "nothing better came than the weights to start from: these were kept\n";
  return 0;
}

}  // namespace

int train(const TrainOptions& asked) {
  TrainOptions o = asked;
  if (o.preset == "finetune" && o.initial.empty()) o.initial = default_model();
  if (!o.initial.empty()) take_network(o);
  o.augment.check();
  make_folder(o.out);
  const fs::path last = fs::path(o.out) / "last.safetensors";
  if (!o.resume && fs::exists(last))
    throw ArgumentError(
        message(last.string(), " is there already: --resume goes on with it, another --out starts anew"));
  return on_device(o.device, {.seed = o.seed}, o.quiet, [&](auto& context) { return train_on(context, o); });
}

}  // namespace nucdet::program
