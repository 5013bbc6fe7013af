#include "nucdet/models/training.hpp"

#include <algorithm>
#include <tuple>

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/folder_lock.hpp"
#include "nucdet/io/head.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/label/class_disc.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/train/checkpoint.hpp"
#include "nucdet/train/nccl_reducer.hpp"
#include "nucdet/train/trainer.hpp"
#include "nucdet/train/validate.hpp"

#include "recorder.hpp"
#include "run_folder.hpp"
#include "training_metadata.hpp"
#include "training_settings.hpp"

namespace nucdet::models {

namespace {

namespace fs = std::filesystem;
using io::Metadata;

/// "a, b, c"
std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

/// Gives a network the weights to start from; what these lack, classes, stays as it was drawn. Throws ArgumentError
/// unless they have no classes or the data's.
template <class Device>
void begin_with(const nn::Model<Device>& from, nn::Model<Device>& model, const ClassNames& classes,
                const std::string& where) {
  if (!from.head().classes.empty() && from.head().classes != classes.all())
    throw ArgumentError(message("train: the weights ", where, " tell ", joined(from.head().classes),
                                " apart, the points have ", classes.empty() ? "no classes" : joined(classes.all())));
  io::SafeTensorFile weights, own;
  io::append_weights(from, weights);
  if (from.head().classes.empty()) io::append_weights(model, own);
  for (io::SafeTensor& tensor : own.tensors)
    if (weights.find(tensor.name) == nullptr) weights.tensors.push_back(std::move(tensor));
  io::apply_weights(weights, model, where);
}

/// Class weights by the inverse of the share of the counted pixels that lie in a disc, overlaps not counted.
loss::CrossEntropy balanced(const data::Dataset& set, double radius) {
  double pixels = 0;
  for (const data::Sample& s : set)
    pixels += static_cast<double>(s.counted.everywhere() ? view_of(s.image).shape.pixels() : s.counted.count());
  const double discs = static_cast<double>(nuclei_in(set)) * 3.14159265 * radius * radius;
  return loss::CrossEntropy::balanced(std::clamp(discs / pixels, 0.001, 0.5));
}

/// The best weights are only in their file: without it a resumed run could end without any.
void check_best(const TrainingConfiguration& o, const train::TrainState& state) {
  const fs::path best = fs::path(o.out) / "best.safetensors";
  if (state.best.iteration >= 0 && !fs::exists(best))
    throw IoError(message(best.string(), " is missing: it held the weights of iteration ", state.best.iteration,
                          ", the best so far, which --resume cannot make again"));
}

/// What sums are made of on a processor; a GPU's are told by the precision.
std::string kernels_of(const Context<Cpu>& context) {
  constexpr const char* kMethods[] = {"", ", plain sums", ", Winograd 2 x 2", ", Winograd 4 x 4", ", Winograd 6 x 6"};
  return (context.kernels() == nullptr ? std::string("headers") : context.kernels()->name) +
         kMethods[static_cast<int>(context.convolution())];
}
#ifdef NUCDET_WITH_CUDA
std::string kernels_of(const Context<Cuda>&) { return {}; }
#endif

/// How ranks, or null, average gradients of the context's device.
train::AmongRanks reducer_of(Context<Cpu>&, Ranks* ranks, const TrainingWatch&) { return {ranks}; }
#ifdef NUCDET_WITH_CUDA
train::AmongGpus reducer_of(Context<Cuda>& context, Ranks* ranks, const TrainingWatch& watch) {
  train::AmongGpus reducer(context, ranks);
  if (!reducer.note().empty()) watch.note(reducer.note());
  return reducer;
}
#endif

bool is_first(const Ranks* ranks) { return ranks == nullptr || ranks->rank() == 0; }

/// What a run is made of, besides its types.
template <class Device>
struct Run {
  nn::Model<Device>& model;
  const TrainingConfiguration& options;
  const TrainingData& data;
  const Metadata& metadata;
  const train::ThresholdSearch& search;
  const TrainingWatch& watch;
  Ranks* ranks;  ///< or null
};

template <class... Tasks, class Rule, class Device>
train::Validation run(const Run<Device>& r, const std::tuple<Tasks...>& tasks, const Rule& rule) {
  const TrainingConfiguration& o = r.options;
  data::CropSampler sampler = sampler_of(o, r.data);
  if (r.ranks != nullptr) sampler.batch /= r.ranks->count();
  train::Trainer trainer(r.model, tasks, rule, sampler, settings_of(o),
                         reducer_of(r.model.context(), r.ranks, r.watch));
  TrainingLog log(std::min<std::int64_t>(50, o.validate_every), full_response_of(o), o.network.classes > 0);
  detect::LocalMaxima peaks = r.search.peaks;
  const fs::path last = fs::path(o.out) / "last.safetensors";
  if (o.resume && !fs::exists(last)) check_weights_are_of(r.metadata, o);  // it was stopped before its first checkpoint
  if (o.resume && fs::exists(last)) {
    io::SafeTensorReader reader(last);
    check_same_run(reader.header().metadata, r.metadata, last.string(), o.schedule != "cosine");
    check_weights_are_of(r.metadata, o);
    const io::SafeTensorFile file = train::read_checkpoint(reader, trainer);
    train::restore_checkpoint(file, last.string(), trainer);
    check_best(o, trainer.state());
    log.resume(fs::path(o.out) / "log.csv", trainer.state().iteration, file.metadata);
    peaks = io::peaks_from(file.metadata, last.string());
    r.watch.note(message("resuming after iteration ", trainer.state().iteration));
  }
  if (r.ranks != nullptr)  // of a folder that a rank sees late there are two checkpoints of one iteration
    check_same_on(*r.ranks, {{"iteration", std::to_string(trainer.state().iteration)},
                             {"validated", std::to_string(trainer.state().validated)}});
  const auto validate = [&](const nn::Model<Device>& m) {
    return train::validate(m, tasks, r.data.validation, r.search, match::HungarianMatcher{}, r.ranks, r.watch.images());
  };
  Recorder<decltype(trainer)> recorder(trainer, o, r.metadata, peaks, log, r.watch, is_first(r.ranks));
  bool validated = true;
  try {
    trainer.fit({r.data.target, r.data.auxiliary.empty() ? nullptr : &r.data.auxiliary}, validate, recorder);
  } catch (const Stopped&) { validated = false; }
  if (const std::string note = trainer.capture_note(); !note.empty())
    r.watch.note("steps were not replayed from a captured graph: " + note);
  const bool done = validated && (trainer.finished() || trainer.state().iteration >= o.iterations);
  if (!done) {
    recorder.checkpoint();
    throw Stopped(message("train: stopped after iteration ", trainer.state().iteration, " of ", o.iterations,
                          validated ? "" : ", before its validation", ", kept in ", last.string()));
  }
  return trainer.state().best;
}

template <class Device, class... Tasks>
train::Validation with_rule(const Run<Device>& r, const Tasks&... tasks) {
  const TrainingConfiguration& o = r.options;
  return with_rule_of(o, [&](const auto& rule) { return run(r, std::tuple(tasks...), rule); });
}

template <class Loss, class Device>
train::Validation with_label(const Run<Device>& r, const Loss& loss) {
  return with_label_of(r.options, [&](const auto& label) { return with_rule(r, train::Task{loss, label}); });
}

/// The loss of the classes, each weighing the same. Throws ArgumentError for a class that the training images have not.
loss::ClassCrossEntropy class_loss(const TrainingData& data) {
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
  const label::ProximityMap label = proximity_of(r.options);
  return with_rule(r, train::Task{weighted, label, "map"},
                   train::Task{class_loss(r.data), label::ClassDisc{.radius = label.radius / 2}, "classes"});
}

template <class Device>
train::Validation with_loss(const Run<Device>& r) {
  const TrainingConfiguration& o = r.options;
  if (o.loss == "cross-entropy")
    return with_rule(
        r, train::Task{balanced(r.data.target, *o.radius), label::Disc{.radius = static_cast<float>(*o.radius)}});
  if (o.loss == "squared") return with_label(r, loss::SquaredError{});
  loss::WeightedSquaredError weighted;
  weighted.lambda = static_cast<float>(o.lambda), weighted.least_mean = static_cast<float>(o.least_mean);
  if (o.network.classes > 0) return with_classes(r, weighted);
  return with_label(r, weighted);
}

}  // namespace

template <class Device>
train::Validation train_network_on(Context<Device>& context, const TrainingConfiguration& asked, TrainingData data,
                                   const TrainingWatch& watch, Ranks* ranks) {
  check(asked), check_data(asked, data);
  if (ranks != nullptr && asked.batch % ranks->count() != 0)
    throw ArgumentError(message("train: a batch of ", asked.batch, " (--batch) among ", ranks->count(),
                                " ranks, wanted as many images for each"));
  if (context.seed() != asked.seed)
    throw ArgumentError(message("train: the context's seed is ", context.seed(), ", the configuration's ", asked.seed,
                                ", wanted the same: weights and dropout are drawn with it"));
  TrainingConfiguration o = settled(asked);
  settle_classes(o, data);
  if (nuclei_in(data.validation) == 0 && o.best != "loss") {
    watch.note("no nuclei to validate with: the best weights are those of the least validation loss, not of F1");
    o.best = "loss";
  }
  const auto model = make_network(context, o.network);
  if (!data.classes.empty()) model->name_classes(data.classes.all());
  std::optional<data::Normalization> start;
  std::optional<detect::LocalMaxima> peaks;
  if (!o.initial.empty()) {
    const LoadedModel<Device> from = load_model(context, o.initial);
    begin_with(*from.model, *model, data.classes, o.initial);
    start = from.normalization, peaks = from.peaks;
    peaks->absolute /= from.full_response;  // the new loss may have another full scale
  }
  model->freeze(o.freeze);
  io::make_folder(o.out);
  std::optional<io::FolderLock> lock;
  if (is_first(ranks)) lock.emplace(o.out);
  check_run_folder(o);  // again: another run may have ended in the meantime
  const data::Normalization normalization = normalization_of(context.host(), o, data, start);
  for (data::Dataset* set : {&data.target, &data.validation, &data.auxiliary})
    data::take_statistics(context.host(), normalization, *set);
  Metadata metadata = describe_run(o, data, normalization, std::string(name_of(context.precision())));
  io::write_head(model->head(), metadata);
  metadata.merge(describe_data(context.host(), data));
  if (const std::string kernels = kernels_of(context); !kernels.empty()) metadata["train.kernels"] = kernels;
  if (ranks != nullptr) check_same_on(*ranks, metadata);
  const train::ThresholdSearch search = thresholds_of(o, peaks);
  const Run<Device> run{*model, o, data, metadata, search, watch, ranks};
  if (static_cast<Index>(nuclei_in(data.validation)) < search.least_nuclei)
    watch.note(message(nuclei_in(data.validation), " nuclei to validate with, fewer than ", search.least_nuclei,
                       " (--least-nuclei): the threshold is not chosen by them, it stays ",
                       peaks ? "that of the weights to start from" : "the default, 0.3"));
  watch.note(message(describe(o.network), ", ", model->parameters()->parameter_count(), " parameters; ",
                     data.target.size(), " images to train on, ", data.validation.size(), " to validate with; ",
                     context.threads(), " threads",
                     ranks != nullptr ? message(" on each of ", ranks->count(), " ranks") : ""));
  return with_loss(run);
}

template train::Validation train_network_on(Context<Cpu>&, const TrainingConfiguration&, TrainingData,
                                            const TrainingWatch&, Ranks*);
#ifdef NUCDET_WITH_CUDA
template train::Validation train_network_on(Context<Cuda>&, const TrainingConfiguration&, TrainingData,
                                            const TrainingWatch&, Ranks*);
#endif

}  // namespace nucdet::models
