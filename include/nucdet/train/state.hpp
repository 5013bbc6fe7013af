#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "nucdet/core/shape.hpp"
#include "nucdet/optim/plateau.hpp"
#include "nucdet/optim/schedule.hpp"

namespace nucdet::train {

/// How the learning rate moves: by validation (the paper's rule) or by the iteration alone.
struct Rate {
  std::variant<optim::Plateau, optim::Constant, optim::Cosine> schedule = optim::Plateau{};
  double start = 1e-2;  ///< of the plateau schedule; the others know their own
};

struct TrainSettings {
  std::int64_t iterations = 100'000;
  std::int64_t validate_every = 500;
  Rate rate{};
  double clip_norm = 0;      ///< limit of the gradient's norm; 0: no clipping
  double gamma = 1;          ///< weight of the target set where an auxiliary set is mixed in: gamma L_T + L_A
  bool keep_best_f1 = true;  ///< "best" means the highest validation F1; else the lowest validation loss

  void check() const {
    if (iterations < 1 || validate_every < 1)
      throw ArgumentError(message("TrainSettings: iterations is ", iterations, ", validate_every is ", validate_every,
                                  ", both must be >= 1"));
    if (!(clip_norm >= 0)) throw ArgumentError(message("TrainSettings: clip_norm is ", clip_norm, ", must be >= 0"));
    std::visit([](const auto& s) { s.check(); }, rate.schedule);
  }
};

/// What a validation found.
struct Validation {
  std::int64_t iteration = 0;
  double loss = 0;
  double f1 = 0;     ///< at the best thresholds
  double xi = 0;     ///< those: relative,
  double floor = 0;  ///< and absolute
  bool best = false;
};

/// Where training stands, besides the weights and the optimiser's numbers. Random numbers need no state: they are drawn
/// from the seed and the iteration.
struct TrainState {
  std::int64_t iteration = 0;  ///< steps taken
  optim::PlateauState plateau;
  Validation best{.iteration = -1};
};

/// What a step did, for progress and logs.
struct StepReport {
  std::int64_t iteration = 0;  ///< counted from 1
  double loss = 0, rate = 0;
  double gradient_norm = 0;  ///< before clipping; 0 if clipping is off
  double seconds = 0;
  Index images = 0;
};

}  // namespace nucdet::train
