#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

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
  double clip_norm = 0;         ///< limit of the gradient's norm; 0: no clipping
  double gamma = 1;             ///< weight of the target set where an auxiliary set is mixed in: gamma L_T + L_A
  bool keep_best_f1 = true;     ///< "best" means the highest validation F1; else the lowest validation loss
  double average = 0;           ///< decay of the moving average of the weights that is validated and kept; 0: none
  bool validate_start = false;  ///< validate the weights before the first step too
  std::int64_t stop_after = 0;  ///< stop when so many iterations brought nothing better; 0: never

  void check() const {
    if (iterations < 1 || validate_every < 1)
      throw ArgumentError(message("TrainSettings: iterations is ", iterations, ", validate_every is ", validate_every,
                                  ", both must be >= 1"));
    if (!(average >= 0 && average < 1) || stop_after < 0)
      throw ArgumentError(message("TrainSettings: average is ", average, ", must be in [0, 1); stop_after is ",
                                  stop_after, ", must be >= 0"));
    if (!(clip_norm >= 0)) throw ArgumentError(message("TrainSettings: clip_norm is ", clip_norm, ", must be >= 0"));
    std::visit([](const auto& s) { s.check(); }, rate.schedule);
  }
};

/// What a validation found.
struct Validation {
  std::int64_t iteration = 0;
  double loss = 0;
  double f1 = 0;     ///< at the thresholds: of each data set, pooled over its images; here the mean of the sets
  double worst = 0;  ///< and the lowest of the sets
  double xi = 0;     ///< the thresholds: relative (0: none),
  double floor = 0;  ///< and absolute, in the response's units
  bool best = false;
  std::vector<std::pair<std::string, double>> sets{};  ///< F1 of each, by name
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
