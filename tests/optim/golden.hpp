#pragma once
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/optim/step.hpp"

#include "support/catch.hpp"

/// Runs the 5 steps of tests/golden/make_optim.py and compares the weights after each with PyTorch's.
template <class Rule>
void check_against_torch(const Rule& rule, double rate, const double (&expected)[5][3]) {
  nucdet::Context<nucdet::Cpu> context({.threads = 1});
  const float slope[] = {0.3f, 1.1f, -0.7f}, shift[] = {0.2f, -0.5f, 0.05f};
  std::vector<float> values{1.0f, -2.0f, 0.5f}, gradients(3), state(3 * Rule::states, 0.0f);
  for (int step = 0; step < 5; ++step) {
    for (std::size_t i = 0; i < 3; ++i) gradients[i] = slope[i] * values[i] + (step % 2 == 0 ? shift[i] : -shift[i]);
    nucdet::optim::step(context, rule, rate, step, values, gradients, state);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(static_cast<double>(values[i]) == Approx(expected[step][i]).epsilon(2e-6).margin(5e-7));
  }
}
