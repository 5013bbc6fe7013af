#pragma once
#include <cstdint>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/optim/step.hpp"

namespace nucdet::optim {

/// Stochastic gradient descent with momentum, as torch.optim.SGD (dampening 0) [Xing 2019: these settings].
///   g' = g + decay w;  v = momentum v + g';  w -= rate (g' + momentum v) with Nesterov's, rate v with plain momentum
/// State: v. check() throws ArgumentError unless 0 <= momentum < 1, 0 <= decay <= 1, and momentum > 0 for Nesterov's.
struct Sgd {
  double momentum = 0.9;
  bool nesterov = true;
  double decay = 1e-6;

  static constexpr int states = 1;

  struct Update {
    float rate, momentum, decay;
    float own, past;  // of g' and of v in the step

    NUCDET_HD void operator()(float* value, float gradient, float* state, Index) const {
      const float g = gradient + decay * *value;
      const float v = momentum * *state + g;
      *state = v;
      *value -= rate * (own * g + past * v);
    }
  };

  Update update(double rate, std::int64_t, bool decays) const {
    return {static_cast<float>(rate), static_cast<float>(momentum), decays ? static_cast<float>(decay) : 0.0f,
            nesterov ? 1.0f : 0.0f, nesterov ? static_cast<float>(momentum) : 1.0f};
  }
  void check() const;
};
static_assert(StepRule<Sgd>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void Sgd::check() const {
  if (!(momentum >= 0 && momentum < 1 && decay >= 0 && decay <= 1))
    throw ArgumentError(
        message("Sgd: momentum is ", momentum, ", decay is ", decay, "; momentum must be in [0, 1), decay in [0, 1]"));
  if (nesterov && momentum == 0) throw ArgumentError("Sgd: Nesterov's momentum needs momentum > 0, which is 0");
}

#endif

}  // namespace nucdet::optim
