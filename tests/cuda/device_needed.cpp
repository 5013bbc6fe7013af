// These tests run on the device there is, or not at all.
#include <iostream>

#include "nucdet/core/context.hpp"

bool tests_cannot_run() {
  const nucdet::cuda::Availability there = nucdet::cuda::availability();
  if (there.devices.empty()) std::cout << "SKIPPED: no CUDA device: " << there.reason << '\n';
  return there.devices.empty();
}
