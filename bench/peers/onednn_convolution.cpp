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

constexpr double kTolerance = 1e-4;                    // of the largest value
constexpr int kChains = 12, kPeakRounds = 12'000'000;  // as MultiplyAdd has

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
/// The data gradients at the end are the transposed convolutions without bias and ELU, which oneDNN 2 adds there by its
/// reference code, at several times the price of the sums.
constexpr Case kInference[] = {
    {Pass::forward, 3, 1, 32, 32, 512},     {Pass::forward, 3, 1, 64, 64, 512},  {Pass::forward, 3, 1, 64, 64, 256},
    {Pass::forward, 3, 1, 128, 128, 128},   {Pass::forward, 3, 1, 256, 256, 64}, {Pass::forward, 3, 1, 512, 512, 64},
    {Pass::forward, 3, 1, 512, 512, 32},    {Pass::forward, 3, 1, 3, 32, 512},   {Pass::forward, 5, 1, 192, 32, 512},
    {Pass::forward, 5, 1, 192, 32, 256},    {Pass::forward, 3, 2, 32, 64, 512},  {Pass::forward, 3, 2, 64, 128, 256},
    {Pass::forward, 1, 1, 64, 64, 256},     {Pass::forward, 1, 1, 32, 1, 512},   {Pass::transposed, 3, 2, 128, 32, 256},
    {Pass::transposed, 3, 2, 256, 64, 128}, {Pass::data, 3, 2, 32, 128, 512},    {Pass::data, 3, 2, 64, 256, 256}};
constexpr Case kTraining[] = {{Pass::data, 3, 1, 32, 32, 200, 4},
                              {Pass::data, 3, 1, 64, 64, 100, 4},
                              {Pass::data, 3, 1, 128, 128, 50, 4},
                              {Pass::data, 3, 1, 256, 256, 25, 4},
                              {Pass::data, 5, 1, 192, 32, 200, 4}};

std::vector<Case> cases_with(const std::string& part) {
  std::vector<Case> all(std::begin(kInference), std::end(kInference));
  for (const Pass pass : {Pass::data, Pass::weights})
    for (Case c : kTraining) c.pass = pass, all.push_back(c);
  std::erase_if(all, [&](const Case& c) { return c.name().find(part) == std::string::npos; });
  return all;
}

/// FLOP/s that the machine reaches now with the registers that this file is compiled for.
double peak(int threads) { return MultiplyAdd::flop(threads) / MultiplyAdd::run(threads); }

#ifdef __x86_64__
/// The same with registers of so many floats, on a machine with AVX-512 alone.
template <int Lanes>
__attribute__((target("avx512f,avx512vl,fma"))) void multiply_add() {
  typedef float Floats __attribute__((vector_size(Lanes * sizeof(float))));
  Floats chain[kChains] = {}, factor = Floats{} + 0.999f, term = Floats{} + 0.001f;
  asm volatile("" : "+v"(factor), "+v"(term));  // as in MultiplyAdd
  for (Floats& value : chain) asm volatile("" : "+v"(value));
  for (int round = 0; round < kPeakRounds; ++round)
    for (Floats& value : chain) value = value * factor + term;
  for (Floats& value : chain) asm volatile("" ::"v"(value));
}
template <int Lanes>
double peak_of(int threads) {
  return 2.0 * kChains * Lanes * kPeakRounds * threads /
         nucdet_bench::timed_on(threads, [](int) { multiply_add<Lanes>(); });
}
#endif

/// What both sides of a table may use.
struct Level {
  const char* title;
  bool held_to_avx2;
  const cpu::Kernels* kernels;
  double (*peak)(int threads);
};
std::vector<Level> levels() {
  const cpu::Kernels* best = cpu::best_kernels();
#ifdef __x86_64__
  if (best->name == std::string("avx512"))
    return {{"both held to AVX2", true, cpu::kernels("avx2"), &peak_of<8>},
            {"both with AVX-512", false, best, &peak_of<16>}};
#endif
  return {{"one table: this machine has no AVX-512", false, best, &peak}};
}

/// oneDNN's OpenMP threads spin for some milliseconds after their work: wait until they sleep, or they take our cores.
template <class Work>
double seconds_of(const Work& work) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto start = Clock::now();
  work();
  return nucdet_bench::seconds_since(start);
}

/// In units of the largest wanted value; infinite if either side has no number.
double largest_difference(const std::vector<float>& found, const std::vector<float>& wanted) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double want = static_cast<double>(wanted[i]), off = std::abs(static_cast<double>(found[i]) - want);
    if (!std::isfinite(off)) return HUGE_VAL;
    difference = std::max(difference, off), largest = std::max(largest, std::abs(want));
  }
  return largest > 0 ? difference / largest : HUGE_VAL;
}

/// Our side of a case.
class Ours {
 public:
  Ours(Context<Cpu>& context, Pass pass, const ops::Conv2dProblem& p, Numbers& numbers)
      : context_(context), pass_(pass), p_(p), numbers_(numbers) {
    const Index counts[] = {p.small.count(), p.large.count(), p.large.count(), p.weights()};
    result_.resize(static_cast<std::size_t>(counts[static_cast<int>(pass)]));
  }
  const std::vector<float>& result() const { return result_; }

  /// Adds a weight gradient to the result, sets others.
  void run() {
    ops::Epilogue<float> elu;
    elu.bias = numbers_.bias.data(), elu.first = {ops::Fused::Kind::elu, 1.0f};
    const View<const float> large(numbers_.large.data(), p_.large), small(numbers_.small.data(), p_.small);
    const float* weight = numbers_.weight.data();
    float* result = result_.data();
    switch (pass_) {
      case Pass::forward:
        return ops::conv2d<float>(context_, p_, large, weight, elu, {result, p_.small});
      case Pass::transposed:
        return ops::conv2d_data_gradient<float>(context_, p_, small, weight, elu, {result, p_.large});
      case Pass::data:
        return ops::conv2d_data_gradient<float>(context_, p_, small, weight, {}, {result, p_.large});
      case Pass::weights:
        return ops::conv2d_weight_gradient<float>(context_, p_, large, small, result);
    }
  }

 private:
  Context<Cpu>& context_;
  Pass pass_;
  ops::Conv2dProblem p_;
  Numbers& numbers_;
  std::vector<float> result_;
};

/// Prints a row, without times if the results differ by more than kTolerance, and returns their difference. Everything
/// it needs is freed at its end.
double compare(const Level& level, const Case& c, int threads, int rounds) {
  const ops::Conv2dProblem problem = c.problem();
  Numbers numbers(c.pass, problem);
  OneDnn peer(c.pass, problem, numbers);
  Context<Cpu> context({.threads = threads, .kernels = level.kernels});
  Ours ours(context, c.pass, problem, numbers);
  peer.run(), ours.run();  // first touch, code generation
  const double difference = largest_difference(ours.result(), peer.result());
  if (difference > kTolerance) {
    std::printf("| %s | %s | differs by %.1e of the largest value |\n", c.name().c_str(), peer.implementation().c_str(),
                difference);
    return difference;
  }

  std::vector<double> their_time, our_time, ratio, ceiling;
  for (int round = 0; round < rounds; ++round) {
    their_time.push_back(seconds_of([&] { peer.run(); }));
    our_time.push_back(seconds_of([&] { ours.run(); }));
    ratio.push_back(their_time.back() / our_time.back());
    ceiling.push_back(level.peak(threads));
  }
  const double theirs = median(their_time), own = median(our_time);
  const double speed = static_cast<double>(problem.flops()) / own;
  std::printf("| %s | %s | %.2f | %.2f | %.2f | %.1f | %.0f %% |\n", c.name().c_str(), peer.implementation().c_str(),
              theirs * 1e3, own * 1e3, median(ratio), speed * 1e-9, 100 * speed / median(ceiling));
  std::fflush(stdout);
  return difference;
}

/// False if any results differ.
bool print_table(const Level& level, const std::vector<Case>& cases, int threads, int rounds) {
  if (level.held_to_avx2) dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  std::printf("\nnucdet's kernels '%s', %s; %d thread(s), %d rounds, medians\n\n", level.kernels->name, level.title,
              threads, rounds);
  std::printf(
      "| pass | kernel /stride | channels | input | oneDNN's choice | oneDNN, ms | nucdet, ms | oneDNN / nucdet "
      "| nucdet, GF/s | of the multiply-add peak |\n|---|---|---|---|---|---|---|---|---|---|\n");
  double largest = 0;
  for (const Case& c : cases) largest = std::max(largest, compare(level, c, threads, rounds));
  std::printf("\nlargest difference: %.1e of the largest value\n", largest);
  return largest <= kTolerance;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(1, argc > 1 ? std::atoi(argv[1]) : 9);
  const std::vector<Case> cases = cases_with(argc > 2 ? argv[2] : "");
  const char* set = std::getenv("OMP_NUM_THREADS");
  const int hardware = static_cast<int>(std::thread::hardware_concurrency());
  const int threads = std::max(1, set != nullptr ? std::atoi(set) : hardware);
  if (cases.empty()) {
    std::fprintf(stderr, "peer_onednn_convolution: no case has '%s' in its name\n", argv[2]);
    return 1;
  }
  bool failed = false;
  for (const Level& level : levels()) {  // oneDNN settles its instruction set once a process
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) return print_table(level, cases, threads, rounds) ? 0 : 1;
    int status = 1;
    failed = child < 0 || waitpid(child, &status, 0) < 0 || status != 0 || failed;
  }
  return failed ? 1 : 0;
}
