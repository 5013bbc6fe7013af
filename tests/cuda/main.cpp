// Runs the tests on the device there is; without one says so and exits with 77, which ctest counts as skipped.
#include <iostream>

#include "nucdet/core/context.hpp"

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int main(int argc, char** argv) {
  const nucdet::cuda::Availability there = nucdet::cuda::availability();
  if (there.devices.empty()) {
    std::cout << "SKIPPED: no CUDA device: " << there.reason << '\n';
    return 77;
  }
  return Catch::Session().run(argc, argv);
}
