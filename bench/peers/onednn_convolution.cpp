/// Our convolution and oneDNN's, side by side in one process:
///
///   OMP_NUM_THREADS=2 peer_onednn_convolution [rounds] [part of a case's name, say "5x5" or "weight gradient"]
///
/// Forward passes, transposed ones too, compute ELU(convolution + bias); gradients have neither. oneDNN runs in the
/// layouts that it prefers, and its reorders are not counted; ours reads and writes NHWC and transforms its weights at
/// every call, which is counted. Samples alternate A B A B. On a machine with AVX-512 the first table holds both to
/// AVX2, the second gives both all that the machine has.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "nucdet/core/context.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "peers/onednn.hpp"
#include "support/machine.hpp"

namespace {

using namespace nucdet;
using nucdet_bench::median;
using nucdet_bench::MultiplyAdd;
using nucdet_bench::Numbers;
using nucdet_bench::OneDnn;
using nucdet_bench::Pass;
using Clock = std::chrono::steady_clock;

constexpr double kTolerance = 1e-4;  // of the largest value

/// Channels and size of what the pass reads; for gradients, of what the convolution reads.
struct Case {
  Pass pass;
  int kernel, stride, inputs, outputs, size, batch = 1;

  ops::Conv2dProblem problem() const {
    const Shape x{batch, size, size, inputs};
    return pass == Pass::transposed ? ops::transposed_convolution(x, outputs, kernel, stride, kernel / 2, stride - 1)
                                    : ops::same_convolution(x, outputs, kernel, stride);
  }
  /// The first columns of its row: pass | kernel /stride | channels | input
  std::string name() const {
    return message(nucdet_bench::name_of(pass), " | ", kernel, "x", kernel, " /", stride, " | ", inputs, "->", outputs,
                   " | ", batch > 1 ? message(batch, "x") : "", size, "x", size);
  }
};
constexpr Case kForward[] = {
    {Pass::forward, 3, 1, 32, 32, 512},   {Pass::forward, 3, 1, 64, 64, 512},      {Pass::forward, 3, 1, 64, 64, 256},
    {Pass::forward, 3, 1, 128, 128, 128}, {Pass::forward, 3, 1, 256, 256, 64},     {Pass::forward, 3, 1, 512, 512, 64},
    {Pass::forward, 3, 1, 512, 512, 32},  {Pass::forward, 3, 1, 3, 32, 512},       {Pass::forward, 5, 1, 192, 32, 512},
    {Pass::forward, 5, 1, 192, 32, 256},  {Pass::forward, 3, 2, 32, 64, 512},      {Pass::forward, 3, 2, 64, 128, 256},
    {Pass::forward, 1, 1, 64, 64, 256},   {Pass::forward, 1, 1, 32, 1, 512},       {Pass::transposed, 3, 2, 128, 32, 256},
    {Pass::transposed, 3, 2, 256, 64, 128}};
constexpr Case kTraining[] = {{Pass::data, 3, 1, 32, 32, 200, 4},
                              {Pass::data, 3, 1, 64, 64, 100, 4},
                              {Pass::data, 3, 1, 128, 128, 50, 4},
                              {Pass::data, 3, 1, 256, 256, 25, 4},
                              {Pass::data, 5, 1, 192, 32, 200, 4}};

std::vector<Case> cases_with(const std::string& part) {
  std::vector<Case> all(std::begin(kForward), std::end(kForward));
  for (const Pass pass : {Pass::data, Pass::weights})
    for (Case c : kTraining) c.pass = pass, all.push_back(c);
  std::erase_if(all, [&](const Case& c) { return c.name().find(part) == std::string::npos; });
  return all;
}

/// What the machine can do at most with the kernels of one table.
struct Peak {
  double (*seconds)(int threads);
  double lanes;

  double flop(int threads) const { return MultiplyAdd::flop(threads) * lanes / nucdet_bench::kLanes; }
};

#ifdef __AVX512F__
#endif

/// One table: what oneDNN is held to, and ours.
struct Contestants {
  bool limit_to_avx2;
  const cpu::Kernels* kernels;
};
