#include "training_settings.hpp"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <utility>

#include "nucdet/data/image_conversion.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"

#include "run_folder.hpp"

namespace nucdet::models {

namespace {

void check_word(const char* what, const std::string& found, std::initializer_list<const char*> known) {
  std::string words;
  for (const char* word : known) {
    if (found == word) return;
    words += (words.empty() ? "" : ", ") + std::string(word);
  }
  throw ArgumentError(message("train: ", what, " '", found, "', wanted one of ", words));
}

void check_range(const char* what, double found, double least, double most) {
  if (!(found >= least && found <= most))
    throw ArgumentError(message("train: ", what, ' ', found, ", wanted ", least, " to ", most));
}

constexpr double kMost = 1e15;

void check_numbers(const TrainingConfiguration& o) {
  for (const auto& [what, found] : {std::pair{"iterations", o.iterations},
                                    {"validate_every", o.validate_every},
                                    {"batch", o.batch},
                                    {"crop", o.crop}})
    check_range(what, static_cast<double>(found), 1, kMost);
  for (const auto& [what, found] : {std::pair{"patience", o.patience},
                                    {"stop_after", o.stop_after},
                                    {"snapshot_every", o.snapshot_every},
                                    {"least_nuclei", o.least_nuclei}})
    check_range(what, static_cast<double>(found), 0, kMost);
  for (const auto& [what, found] :
       {std::pair{"gamma", o.gamma}, {"alpha", o.alpha}, {"lambda", o.lambda}, {"decay", o.decay}, {"clip", o.clip}})
    check_range(what, found, 0, kMost);
  check_range("rate", o.rate, 1e-30, 1e6), check_range("average", o.average, 0, 0.999999);
  check_range("momentum", o.momentum, 0, 1), check_range("least_mean", o.least_mean, 0, 1);
}

/// The network of the weights to start from, where no other was asked for. Throws ArgumentError for another one.
NetworkChoice network_of(const TrainingConfiguration& o) {
  if (o.initial.empty()) return o.network;
  NetworkChoice found = network_from(io::SafeTensorReader(o.initial).header().metadata, o.initial);
  const NetworkChoice usual;
  const bool unasked = o.network.name == usual.name && o.network.base == usual.base &&
                       o.network.context == usual.context && o.network.norm == usual.norm;
  found.maps = o.network.maps, found.classes = o.network.classes;  // these follow from loss and data
  if (!unasked && o.network != found)
    throw ArgumentError(message("train: the network asked for is ", describe(o.network), ", the weights ", o.initial,
                                " are of ", describe(found)));
  return found;
}

/// What label, rule and schedule say of their numbers.
void check_parts(const TrainingConfiguration& o) {
  with_label_of(o, [](const auto& label) { label.check(); });
  with_rule_of(o, [](const auto& rule) { rule.check(); });
  settings_of(o).check();
}

}  // namespace

void check(const TrainingConfiguration& o) {
  check_word("loss", o.loss, {"auto", "weighted", "squared", "cross-entropy"});
  check_word("label", o.label, {"auto", "proximity", "gaussian", "disc"});
  check_word("optimizer", o.optimizer, {"sgd", "adam", "adamw"});
  check_word("schedule", o.schedule, {"plateau", "constant", "cosine"});
  check_word("normalization", o.normalization, {"auto", "fixed", "image", "tissue"});
  check_word("best", o.best, {"f1", "loss", "classes"});
  check_numbers(o);
  o.augment.check();
  if (o.best == "classes" && !o.classes)
    throw ArgumentError("train: the best in classes is wanted, and classes are left out");
  check_parts(settled(o));
  if (o.out.empty()) throw ArgumentError("train: no folder for the run");
  check_run_folder(o);
}

optim::Sgd sgd_of(const TrainingConfiguration& o) {
  return {.momentum = o.momentum, .nesterov = o.momentum > 0, .decay = o.decay};
}
optim::Adam adam_of(const TrainingConfiguration& o) {
  optim::Adam rule;
  rule.decay = o.decay, rule.decoupled = o.optimizer == "adamw";
  return rule;
}

train::TrainSettings settings_of(const TrainingConfiguration& o) {
  train::TrainSettings s;
  s.iterations = o.iterations, s.validate_every = o.validate_every, s.clip_norm = o.clip, s.gamma = o.gamma;
  s.best = o.best == "f1" ? train::Best::f1 : o.best == "classes" ? train::Best::class_f1 : train::Best::loss;
  s.joint_statistics = o.joint_statistics;
  s.average = o.average, s.stop_after = o.stop_after, s.validate_start = !o.initial.empty();
  s.rate.start = o.rate;
  if (o.schedule == "constant") s.rate.schedule = optim::Constant{.rate = o.rate};
  if (o.schedule == "cosine")
    s.rate.schedule = optim::Cosine{.rate = o.rate, .iterations = o.iterations, .warmup = *o.warmup};
  if (o.schedule == "plateau")
    s.rate.schedule = optim::Plateau{.patience = o.patience, .floor = std::min(1e-4, o.rate / 100)};
  return s;
}

data::CropSampler sampler_of(const TrainingConfiguration& o, const TrainingData& data) {
  data::CropSampler s;
  s.crop = o.crop, s.batch = o.batch, s.seed = o.seed, s.balanced = o.balanced, s.set_weights = data.weights;
  s.augmentation = o.augment;
  s.margin = std::max(48.0, 2 * *o.radius);
  return s;
}

double full_response_of(const TrainingConfiguration& o) {
  const std::string loss = o.loss == "auto" ? settled(o).loss : o.loss;
  return loss == "weighted" ? loss::WeightedSquaredError{}.scale : 1.0;
}

train::ThresholdSearch thresholds_of(const TrainingConfiguration& o, const std::optional<detect::LocalMaxima>& start) {
  const float full = static_cast<float>(full_response_of(o));
  train::ThresholdSearch search;
  search.peaks.relative = o.relative ? 0.4 : 0, search.peaks.smoothing = o.loss == "cross-entropy" ? 2.0 : 0.0;
  if (start) search.peaks = *start;
  search.peaks.full_scale = full;
  search.peaks.absolute = (start ? start->absolute : 0.3f) * full;
  search.relative = o.relative;
  search.least_nuclei = std::max<Index>(1, o.least_nuclei);  // nothing can be chosen by no nuclei
  search.wants_nuclei = o.best != "loss";
  return search;
}

TrainingConfiguration settled(TrainingConfiguration o) {
  o.network = network_of(o);
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

void settle_classes(TrainingConfiguration& o, const TrainingData& data) {
  o.network.classes = data.classes.size();
  if (data.classes.empty()) {
    if (o.best == "classes")
      throw ArgumentError("train: the best in classes is wanted, and there are not two in the points to train on");
    return;
  }
  const bool able = o.network.name == "micronet-lite" && (o.network.base == 8 || o.network.base == 32);
  if (!able || o.loss != "weighted" || o.label != "proximity" || data.classes.size() > 8)
    throw ArgumentError(message("train: the points have ", data.classes.size(),
                                " classes; up to 8 are learnt by micronet-lite of base 8 or 32 with the loss weighted ",
                                "and the label proximity, not by ", describe(o.network), ", ", o.loss, " and ", o.label,
                                "; or they are left out (--no-classes)"));
}

data::Normalization normalization_of(Context<Cpu>& context, const TrainingConfiguration& o, const TrainingData& data,
                                     const std::optional<data::Normalization>& start) {
  if (start && (o.normalization == "auto" || o.normalization == data::name_of(*start))) return *start;
  if (o.normalization == "image") return data::ImageNormalization{};
  const data::FixedNormalization constants{data::constants_of(context, data.target)};
  if (o.normalization == "tissue") return data::TissueNormalization{.otherwise = constants};
  return constants;
}

}  // namespace nucdet::models
