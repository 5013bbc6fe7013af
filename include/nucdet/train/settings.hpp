#pragma once
#include <cstdint>
#include <variant>

#include "nucdet/core/config.hpp"
#include "nucdet/optim/any_schedule.hpp"
#include "nucdet/optim/plateau.hpp"
#include "nucdet/train/state.hpp"

namespace nucdet::train {

/// How the learning rate moves: by validation (the paper's rule) or by the iteration alone.
struct Rate {
  std::variant<optim::Plateau, optim::AnySchedule> schedule = optim::Plateau{};  ///< e.g. optim::Cosine, or one's own
  double start = 1e-2;  ///< of the plateau schedule; the others know their own
};

/// What makes a validation the best so far: the highest F1 of detection, the lowest loss, or the highest mean F1 of the
/// classes.
enum class Best { f1, loss, class_f1 };

struct TrainSettings {
  std::int64_t iterations = 100'000;
  std::int64_t validate_every = 500;
  Rate rate{};
  double clip_norm = 0;  ///< limit of the gradient's norm; 0: no clipping
  double gamma = 1;      ///< weight of the target set where an auxiliary set is mixed in: gamma L_T + L_A
  Best best = Best::f1;
  double average = 0;            ///< decay of the moving average of the weights that is validated and kept; 0: none
  bool validate_start = false;   ///< validate the weights before the first step too
  std::int64_t stop_after = 0;   ///< stop when so many iterations brought nothing better; 0: never
  bool joint_statistics = true;  ///< of several ranks: batch norm looks at all their images, or each at its own

  void check() const;
  /// Whether the weights as they are now are to be validated, and have not been.
  bool validation_due(const TrainState& state) const {
    const std::int64_t i = state.iteration;
    return i != state.validated && (i == 0 ? validate_start : i % validate_every == 0 || i == iterations);
  }
};

#ifdef NUCDET_INLINE

NUCDET_INLINE void TrainSettings::check() const {
  if (iterations < 1 || validate_every < 1)
    throw ArgumentError(message("TrainSettings: iterations is ", iterations, ", validate_every is ", validate_every,
                                ", both must be >= 1"));
  if (!(average >= 0 && average < 1) || stop_after < 0)
    throw ArgumentError(message("TrainSettings: average is ", average, ", must be in [0, 1); stop_after is ",
                                stop_after, ", must be >= 0"));
  if (!(clip_norm >= 0)) throw ArgumentError(message("TrainSettings: clip_norm is ", clip_norm, ", must be >= 0"));
  std::visit([](const auto& s) { s.check(); }, rate.schedule);
}

#endif

}  // namespace nucdet::train
