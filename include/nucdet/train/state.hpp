#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/core/shape.hpp"
#include "nucdet/optim/plateau.hpp"

namespace nucdet::train {

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
  double class_f1 = -1;  ///< mean F1 of the classes, over all sets at the thresholds; -1 without classes
};

/// Where training stands, besides the weights and the optimiser's numbers. Random numbers need no state: they are drawn
/// from the seed and the iteration.
struct TrainState {
  std::int64_t iteration = 0;   ///< steps taken
  std::int64_t validated = -1;  ///< of the last validation that came to its end
  optim::PlateauState plateau;
  Validation best{.iteration = -1};
};

/// What a step did, for progress and logs.
struct StepReport {
  std::int64_t iteration = 0;  ///< counted from 1
  double loss = 0, rate = 0;   ///< the loss: of all tasks
  double gradient_norm = 0;    ///< before clipping; 0 if clipping is off
  double seconds = 0;
  Index images = 0;
};

}  // namespace nucdet::train
