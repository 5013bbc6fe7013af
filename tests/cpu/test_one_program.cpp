// One program of two kinds of files: this one sees nucdet::cpu, header_only_unit.cpp the headers alone.
#include "nucdet/cpu/kernels.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "cpu/header_only_unit.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {
const Context<Cpu> static_context({.threads = 1});
}

TEST_CASE("a file of the headers alone finds the kernels that another file of the program links") {
  const UnitFacts facts = header_only_facts();
  REQUIRE(cpu::best_kernels() != nullptr);
  CHECK(cpu::best_kernels() == cpu::available_kernels().back());
  CHECK(facts.best == cpu::best_kernels());
  CHECK(facts.by_default == cpu::best_kernels());
  CHECK(facts.of_static_context == cpu::best_kernels());  // made before main, in whatever order
  CHECK(static_context.kernels() == cpu::best_kernels());
  CHECK(facts.context_size == sizeof(Context<Cpu>));
  CHECK(facts.convolution == static_cast<int>(CpuOptions().convolution));
}

TEST_CASE("both kinds of files compute the same bits, with the fast kernels and with the headers' own") {
  const ops::Conv2dProblem problem = unit_problem();
  const std::vector<double> numbers = random_numbers(problem.large.count(), 1),
                            taps = random_numbers(problem.weights(), 2);
  const std::vector<float> x(numbers.begin(), numbers.end()), weight(taps.begin(), taps.end());
  for (const cpu::Kernels* kernels : {cpu::best_kernels(), static_cast<const cpu::Kernels*>(nullptr)}) {
    Context<Cpu> context({.threads = 2, .kernels = kernels});
    std::vector<float> y(static_cast<std::size_t>(problem.small.count()));
    ops::conv2d<float>(context, problem, {x.data(), problem.large}, weight.data(), {}, {y.data(), problem.small});
    CHECK(y == header_only_convolution(kernels, x, weight));
  }
}
