#include "nucdet/models/augmentation.hpp"
#include "nucdet/models/training.hpp"

/// What `nucdet train --preset` settles.
namespace nucdet::models {

namespace {

/// A few images of one's own, from weights that know many: short, gentle, and never worse than where it began.
void finetune(TrainingConfiguration& o) {
  o.iterations = 600, o.validate_every = 100, o.stop_after = 0;
  o.rate = 5e-4, o.average = 0.98;
}

/// Xing et al. 2019: SGD by plateau, normalisation by the image, the relative threshold, the loss as printed.
void paper(TrainingConfiguration& o) {
  o.optimizer = "sgd", o.schedule = "plateau", o.rate = 1e-2, o.decay = 1e-6, o.clip = 0;
  o.iterations = 100'000, o.patience = 10'000, o.stop_after = 0, o.average = 0;
  o.crop = 200, o.least_mean = 0;
  o.augment = paper_augmentation();
  o.normalization = "image", o.relative = true, o.least_nuclei = 1;
}

}  // namespace

void apply_preset(TrainingConfiguration& o, const std::string& name) {
  o.preset = name;
  if (name == "finetune") return finetune(o);
  if (name == "paper") return paper(o);
  if (name != "laptop") throw ArgumentError(message("preset '", name, "', wanted laptop, finetune or paper"));
}

}  // namespace nucdet::models
