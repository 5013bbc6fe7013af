#pragma once
#include <optional>

#include "nucdet/data/normalization.hpp"
#include "nucdet/data/sampler.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/models/training.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/train/settings.hpp"
#include "nucdet/train/thresholds.hpp"

/// From a configuration's words to the settings of the parts.
namespace nucdet::models {

/// The network of the weights to start from and the paper's use of it where nothing else is asked for, and what follows
/// from label and loss.
TrainingConfiguration settled(TrainingConfiguration o);

/// Throws ArgumentError for data that cannot be trained on or validated with: none, without nuclei, or with classes
/// that have no names.
void check_data(const TrainingConfiguration& o, const TrainingData& data);

/// The classes of the data become the network's. Throws ArgumentError where they cannot be learnt.
void settle_classes(TrainingConfiguration& o, const TrainingData& data);

optim::Sgd sgd_of(const TrainingConfiguration& o);
optim::Adam adam_of(const TrainingConfiguration& o);
/// body(rule), with the rule that a settled configuration names.
template <class Body>
auto with_rule_of(const TrainingConfiguration& o, const Body& body) {
  return o.optimizer == "sgd" ? body(sgd_of(o)) : body(adam_of(o));
}

inline label::ProximityMap proximity_of(const TrainingConfiguration& o) {
  return {.alpha = static_cast<float>(o.alpha), .radius = static_cast<float>(*o.radius)};
}
/// body(label), with the label that a settled configuration names.
template <class Body>
auto with_label_of(const TrainingConfiguration& o, const Body& body) {
  const float radius = static_cast<float>(*o.radius);
  if (o.label == "gaussian") return body(label::GaussianDensity{.sigma = radius / 4});
  return o.label == "disc" ? body(label::Disc{.radius = radius}) : body(proximity_of(o));
}

train::TrainSettings settings_of(const TrainingConfiguration& o);
data::CropSampler sampler_of(const TrainingConfiguration& o, const TrainingData& data);

/// How validation chooses thresholds: from those of the weights to start from, whose responses are parts of a full
/// scale of 1, or 30 %. A classifier's map is smoothed.
train::ThresholdSearch thresholds_of(const TrainingConfiguration& o, const std::optional<detect::LocalMaxima>& start);

/// The rule that was asked for. Constants are those of the training set, unless the weights to start from have that
/// rule.
data::Normalization normalization_of(Context<Cpu>& context, const TrainingConfiguration& o, const TrainingData& data,
                                     const std::optional<data::Normalization>& start);

}  // namespace nucdet::models
