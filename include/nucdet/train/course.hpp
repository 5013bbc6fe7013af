#pragma once
#include <cmath>
#include <cstdint>
#include <variant>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/train/settings.hpp"
#include "nucdet/train/state.hpp"

/// The course of a training: what follows from its settings and from where it stands, whatever is trained on what.
namespace nucdet::train::detail {

/// The learning rate of the next step.
double rate_of(const TrainSettings& settings, const TrainState& state);

/// True once the plateau schedule's rate has fallen below its floor, or nothing better came for too long.
bool is_finished(const TrainSettings& settings, const TrainState& state);

/// What a validation that came to its end changes: the rate, and whether it is the best so far, which it then says of
/// itself. Throws NumericError for a loss that is not finite, ArgumentError if the best is that of classes and there
/// are none.
void take(const TrainSettings& settings, Validation& found, TrainState& state);

/// Throws NumericError: "training stopped at iteration 7: the loss is nan".
void check_finite(const char* what, double value, std::int64_t iteration);

#ifdef NUCDET_INLINE

NUCDET_INLINE double rate_of(const TrainSettings& settings, const TrainState& state) {
  if (std::holds_alternative<optim::Plateau>(settings.rate.schedule)) return state.plateau.rate;
  return std::get<optim::AnySchedule>(settings.rate.schedule)(state.iteration);
}

NUCDET_INLINE bool is_finished(const TrainSettings& settings, const TrainState& state) {
  const auto* plateau = std::get_if<optim::Plateau>(&settings.rate.schedule);
  const std::int64_t since = state.best.iteration < 0 ? 0 : state.iteration - state.best.iteration;
  return (settings.stop_after > 0 && since >= settings.stop_after) ||
         (plateau != nullptr && plateau->finished(state.plateau));
}

NUCDET_INLINE void take(const TrainSettings& settings, Validation& found, TrainState& state) {
  if (settings.best == Best::class_f1 && found.class_f1 < 0)
    throw ArgumentError("Trainer: the best is that in the classes' F1, and the network has no classes");
  check_finite("validation loss", found.loss, found.iteration);
  if (const auto* plateau = std::get_if<optim::Plateau>(&settings.rate.schedule))
    plateau->observe(state.plateau, found.iteration, found.loss);
  const Validation& best = state.best;
  const bool better = settings.best == Best::loss       ? found.loss < best.loss
                      : settings.best == Best::class_f1 ? found.class_f1 > best.class_f1
                                                        : found.f1 > best.f1;
  found.best = best.iteration < 0 || better;
  if (found.best) state.best = found;
  state.validated = found.iteration;
}

NUCDET_INLINE void check_finite(const char* what, double value, std::int64_t iteration) {
  if (!std::isfinite(value))
    throw NumericError(message("training stopped at iteration ", iteration, ": the ", what, " is ", value,
                               "; try a smaller learning rate or gradient clipping"));
}

#endif

}  // namespace nucdet::train::detail
