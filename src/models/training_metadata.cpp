#include "training_metadata.hpp"

#include <filesystem>

#include "nucdet/io/normalization.hpp"
#include "nucdet/models/augmentation.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/version.hpp"

namespace nucdet::models {

io::Metadata describe_run(const TrainingConfiguration& o, const TrainingData& data,
                          const data::Normalization& normalization, const std::string& precision) {
  io::Metadata m = to_metadata(o.network);
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
  m["train.thresholds"] =
      message(o.relative ? "absolute and relative" : "absolute", ", chosen by ", o.least_nuclei, " nuclei or more");
  m["train.precision"] = precision;
  m["data.train"] = message(data.name, ": ", nuclei_in(data.target), " nuclei");
  if (data.weights.size() > 1)
    for (const auto& [set, weight] : data.weights) m["data.weight." + set] = io::number_text(weight);
  m["data.validation"] = message(data.validation.size(), " images, ", nuclei_in(data.validation), " nuclei");
  if (!data.auxiliary.empty())
    m["data.auxiliary"] =
        message(data.auxiliary.size(), " images, ", nuclei_in(data.auxiliary), " nuclei, gamma ", o.gamma);
  m["data.licence"] = o.licence.empty() ? "not stated" : o.licence;
  std::string frozen;
  for (const std::string& block : o.freeze) frozen += (frozen.empty() ? "" : " ") + block;
  if (!frozen.empty()) m["train.frozen"] = frozen;
  if (!o.initial.empty()) m["train.initial"] = std::filesystem::path(o.initial).filename().string();
  return m;
}

void check_same_run(const io::Metadata& checkpoint, const io::Metadata& wanted, const std::string& where,
                    bool more_iterations) {
  std::string differences;
  for (const auto& [key, value] : wanted) {
    // The default warm-up follows from the iterations, and is the cosine's alone.
    const bool follows = key == "train.iterations" || key == "schedule.warmup";
    if ((follows && more_iterations) || key == "nucdet.version") continue;
    const auto found = checkpoint.find(key);
    if (found == checkpoint.end() || found->second != value)
      differences +=
          message("\n  ", key, " is '", found == checkpoint.end() ? "missing" : found->second, "', now '", value, "'");
  }
  for (const auto& [key, value] : checkpoint)
    if (!key.starts_with("peaks.") && !key.starts_with("log.") && !wanted.contains(key))
      differences += message("\n  ", key, " is '", value, "', now missing");
  if (!differences.empty()) throw ArgumentError(message(where, ": cannot resume with other settings:", differences));
}

}  // namespace nucdet::models
