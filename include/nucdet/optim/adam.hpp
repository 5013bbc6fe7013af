#pragma once
#include <cmath>
#include <cstdint>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/optim/step.hpp"

namespace nucdet::optim {

/// Adam, as torch.optim.Adam, or AdamW with `decoupled` [Kingma and Ba 2015; Loshchilov and Hutter 2019].
///   g' = g + decay w (Adam), or w *= 1 - rate decay and g' = g (AdamW)
///   m = beta1 m + (1 - beta1) g';  s = beta2 s + (1 - beta2) g'^2;  t = iteration + 1
///   w -= rate / (1 - beta1^t) m / (sqrt(s / (1 - beta2^t)) + epsilon)
/// State: m, s. The step count is the iteration, so a weight that is thawed late has no warm-up of its own.
/// check() throws ArgumentError unless the betas lie in [0, 1), 0 < epsilon <= 1 and 0 <= decay <= 1.
struct Adam {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double decay = 0;
  bool decoupled = false;

  static constexpr int states = 2;

  struct Update {
    float beta1, rest1, beta2, rest2, epsilon;
    float rate, root;     // rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t)
    float decay, shrink;  // of the gradient; of the weight

    NUCDET_HD void operator()(float* value, float gradient, float* state, Index stride) const {
      const float w = *value * shrink, g = gradient + decay * w;
      const float m = beta1 * state[0] + rest1 * g, s = beta2 * state[stride] + rest2 * g * g;
      state[0] = m, state[stride] = s;
      *value = w - rate * m / (std::sqrt(s) * root + epsilon);
    }
  };

  Update update(double rate, std::int64_t iteration, bool decays) const {
    const double t = static_cast<double>(iteration + 1), used = decays ? decay : 0.0;
    const auto number = [](double v) { return static_cast<float>(v); };
    return {number(beta1),
            number(1 - beta1),
            number(beta2),
            number(1 - beta2),
            number(epsilon),
            number(rate / (1 - std::pow(beta1, t))),
            number(1 / std::sqrt(1 - std::pow(beta2, t))),
            number(decoupled ? 0.0 : used),
            number(decoupled ? 1 - rate * used : 1.0)};
  }
  void check() const;
};
static_assert(StepRule<Adam>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void Adam::check() const {
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1))
    throw ArgumentError(message("Adam: beta1 is ", beta1, ", beta2 is ", beta2, ", must be in [0, 1)"));
  if (!(epsilon > 0 && epsilon <= 1 && decay >= 0 && decay <= 1))
    throw ArgumentError(
        message("Adam: epsilon is ", epsilon, ", decay is ", decay, "; epsilon must be in (0, 1], decay in [0, 1]"));
}

#endif

}  // namespace nucdet::optim
