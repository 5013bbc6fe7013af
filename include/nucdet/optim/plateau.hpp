#pragma once
#include <cmath>
#include <cstdint>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"

namespace nucdet::optim {

/// Where a plateau schedule stands: four finite numbers, to be saved and restored with a checkpoint.
struct PlateauState {
  double rate = 0;                   ///< to train with now
  double best = 0;                   ///< lowest validation loss so far; nothing before the first
  std::int64_t best_iteration = -1;  ///< when it was seen, -1 before the first
  std::int64_t since = 0;            ///< patience counts from here: the last improvement or cut

  friend bool operator==(const PlateauState&, const PlateauState&) = default;
};

/// The paper's schedule: the rate is divided by `factor` when the validation loss has not fallen below its best for
/// `patience` iterations, and training stops when the rate is below `floor` [Xing 2019, Implementation]. From 1e-2 that
/// is 1e-2, 1e-3, 1e-4, stop. After a cut, patience starts anew.
///
///   PlateauState state = plateau.start(1e-2);
///   ... every so many iterations: if (plateau.observe(state, iteration, loss)) save_best();
///   if (plateau.finished(state)) stop();
///
/// check() throws ArgumentError unless factor > 1, patience >= 1 and floor >= 0, all finite.
struct Plateau {
  double factor = 10;
  std::int64_t patience = 10000;
  double floor = 1e-4;

  PlateauState start(double rate, std::int64_t iteration = 0) const {
    check();
    if (!(rate > 0 && std::isfinite(rate)))
      throw ArgumentError(message("Plateau: rate is ", rate, ", must be finite and > 0"));
    return {.rate = rate, .best = 0, .best_iteration = -1, .since = iteration};
  }

  /// Takes a validation loss; true if it is the best so far. One that is not finite throws NumericError and leaves the
  /// state alone: waiting for patience to run out would only train a broken network for longer.
  bool observe(PlateauState& state, std::int64_t iteration, double validation_loss) const {
    check();
    if (!std::isfinite(validation_loss))
      throw NumericError(
          message("Plateau: validation loss at iteration ", iteration, " is ", validation_loss, ", must be finite"));
    if (iteration < state.since)
      throw ArgumentError(message("Plateau: iteration is ", iteration, ", must not be before ", state.since));
    const bool better = state.best_iteration < 0 || validation_loss < state.best;
    if (better)
      state.best = validation_loss, state.best_iteration = iteration, state.since = iteration;
    else if (iteration - state.since >= patience)
      state.rate /= factor, state.since = iteration;
    return better;
  }

  /// The paper's stop rule. A rate that only rounding puts below the floor is not below it.
  bool finished(const PlateauState& state) const { return state.rate < floor * (1 - 1e-9); }

  void check() const;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE void Plateau::check() const {
  if (!(factor > 1 && std::isfinite(factor) && floor >= 0 && std::isfinite(floor)))
    throw ArgumentError(
        message("Plateau: factor is ", factor, ", floor is ", floor, "; factor must be > 1, floor >= 0, both finite"));
  if (patience < 1) throw ArgumentError(message("Plateau: patience is ", patience, ", must be >= 1 iteration"));
}

#endif

}  // namespace nucdet::optim
