#pragma once
#include <cstddef>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/ops/conv2d_problem.hpp"

namespace nucdet_test {

/// What a file that was compiled with the headers alone sees of a program that links nucdet::cpu.
struct UnitFacts {
  const nucdet::cpu::Kernels *best, *of_static_context, *by_default;
  std::size_t context_size;
  int convolution;
};
UnitFacts header_only_facts();

inline nucdet::ops::Conv2dProblem unit_problem() { return nucdet::ops::same_convolution({1, 19, 23, 16}, 16, 3, 1); }
std::vector<float> header_only_convolution(const nucdet::cpu::Kernels* kernels, const std::vector<float>& x,
                                           const std::vector<float>& weight);

}  // namespace nucdet_test
