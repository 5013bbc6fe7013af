#include "budget.hpp"

#include "nucdet/core/error.hpp"

namespace nucdet::program::studies {

namespace {

/// The paper's numbers.
Budget full() {
  Budget b{.name = "full"};
  for (models::TrainingConfiguration* o : {&b.training, &b.tuning, &b.together}) models::apply_preset(*o, "paper");
  b.tuning.schedule = "constant", b.tuning.rate = 1e-3;
  b.tuning.iterations = 20'000, b.tuning.validate_every = 1000;
  b.base_snapshots = 2000, b.base_stages = 10;
  b.width = 32;
  b.target_shares = {0.1, 0.2, 0.4, 0.6, 0.8, 1}, b.auxiliary_shares = {0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5};
  b.mixed_shares = {0, 0.05, 0.5};
  b.multi_sources = {0.05, 0.5};
  b.frozen_blocks = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  b.gammas = {0.01, 0.1, 0.5, 1, 5, 10, 50, 100}, b.lambdas = {0, 0.005, 0.05, 0.5, 5, 50};
  return b;
}

/// Networks of a quarter of the width, crops of 128 pixels and AdamW, which needs a hundred iterations where the
/// paper's SGD needs ten thousands: a training takes half a minute.
Budget cpu() {
  Budget b = full();
  b.name = "cpu";
  for (models::TrainingConfiguration* o : {&b.training, &b.tuning, &b.together})
    o->optimizer = "adamw", o->decay = 1e-2, o->clip = 1, o->crop = 128;
  b.training.schedule = "cosine", b.training.rate = 3e-3, b.training.warmup = 20;
  b.training.iterations = 160, b.training.validate_every = 40;
  b.together = b.training;
  b.tuning.rate = 1e-3, b.tuning.iterations = 80, b.tuning.validate_every = 20;
  b.base_snapshots = 40, b.base_stages = 4;
  b.width = 8;
  b.target_shares = {0.1, 0.4, 1}, b.auxiliary_shares = {0, 0.02, 0.1, 0.5};
  b.mixed_shares = {0, 0.5};
  b.multi_sources = {0.5};
  b.frozen_blocks = {0, 3, 6, 9};
  b.gammas = {0.01, 1, 100};
  return b;
}

/// What answers the paper's questions on a small machine in a few nights: the cpu budget's networks, crops and
/// optimiser, trained to where more iterations give little (docs/results.md), on every organ that is asked for.
Budget overnight() {
  Budget b = cpu();
  b.name = "overnight";
  b.training.iterations = 2000, b.training.validate_every = 200, b.training.warmup = 100;
  b.together = b.training;
  b.together.iterations = 6000, b.together.validate_every = 500, b.together.warmup = 200;
  b.tuning.iterations = 1000, b.tuning.validate_every = 250;
  b.base_snapshots = 400, b.base_stages = 2;
  b.rival_seeds = 2, b.all_targets = true;
  b.target_shares = {0.2, 1}, b.auxiliary_shares = {0, 0.1, 0.5};
  b.frozen_blocks = {0, 9};
  b.gammas = {1, 10};
  return b;
}

}  // namespace

Budget budget_of(const std::string& name) {
  if (name == "full") return full();
  if (name == "overnight") return overnight();
  if (name == "cpu") return cpu();
  throw ArgumentError(message("study: budget '", name, "', wanted full, overnight or cpu"));
}

}  // namespace nucdet::program::studies
