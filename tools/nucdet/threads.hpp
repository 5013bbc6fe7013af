#pragma once
#include <functional>
#include <string>

#include "nucdet/core/processors.hpp"

namespace nucdet::program {

/// How many threads a command takes if none are asked for, and why.
struct ChosenThreads {
  int count = 1;
  std::string why;  ///< "2 of 4 processors may be used, SLURM_CPUS_PER_TASK is 1"
};

/// As many as the processors that the process may use, or as a job was given by SLURM_CPUS_PER_TASK or OMP_NUM_THREADS,
/// if that is fewer. `variable` gives a variable's text, or null. A variable that is no number above 0 is passed over.
ChosenThreads choose_threads(const Processors& there, const std::function<const char*(const char*)>& variable);

/// The same of this process.
ChosenThreads choose_threads();

}  // namespace nucdet::program
