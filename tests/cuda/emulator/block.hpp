#pragma once

#include "emulator.hpp"

namespace emulator {

/// Runs all the blocks of a kernel, one after another.
void run_grid(const dim3& grid, const dim3& block, const BoundKernel& kernel);

}  // namespace emulator
