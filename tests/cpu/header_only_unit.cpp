// Compiled with the headers alone, and linked into a program whose other files use nucdet::cpu: see
// test_one_program.cpp.
#include "cpu/header_only_unit.hpp"

#include "nucdet/ops/conv2d.hpp"

#ifdef NUCDET_PREBUILT
#error "this file must see the headers alone"
#endif

namespace nucdet_test {

namespace {
const nucdet::Context<nucdet::Cpu> static_context({.threads = 1});
}

UnitFacts header_only_facts() {
  const nucdet::CpuOptions defaults;
  return {nucdet::cpu::best_kernels(), static_context.kernels(), defaults.kernels, sizeof(nucdet::Context<nucdet::Cpu>),
          static_cast<int>(defaults.convolution)};
}

std::vector<float> header_only_convolution(const nucdet::cpu::Kernels* kernels, const std::vector<float>& x,
                                           const std::vector<float>& weight) {
  nucdet::Context<nucdet::Cpu> context({.threads = 2, .kernels = kernels});
  const nucdet::ops::Conv2dProblem problem = unit_problem();
  std::vector<float> y(static_cast<std::size_t>(problem.small.count()));
  nucdet::ops::conv2d<float>(context, problem, {x.data(), problem.large}, weight.data(), {}, {y.data(), problem.small});
  return y;
}

}  // namespace nucdet_test
