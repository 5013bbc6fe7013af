/// Our convolution and oneDNN's, side by side in one process:  OMP_NUM_THREADS=2 peer_onednn_convolution [rounds]
///
/// Both compute ELU(convolution + bias). oneDNN runs in the layouts that it prefers, and its reorders are not counted;
/// ours reads and writes NHWC and packs its weights at every call, which is counted. Samples alternate A B A B. The
/// first table holds oneDNN to AVX2, the second gives it all that the machine has.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "nucdet/core/context.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "support/machine.hpp"

namespace {

using namespace nucdet;
using nucdet_bench::median;
using Clock = std::chrono::steady_clock;

struct Case {
  int kernel, stride, inputs, outputs, size;
};
constexpr Case kCases[] = {{3, 1, 32, 32, 512},  {3, 1, 64, 64, 256},  {3, 1, 64, 64, 512}, {3, 1, 128, 128, 128},
                           {3, 1, 256, 256, 64}, {5, 1, 192, 32, 256}, {3, 2, 64, 128, 256}};

/// The same numbers for both sides.
struct Numbers {
  std::vector<float> x, weight, bias;

  explicit Numbers(const ops::Conv2dProblem& p)
      : x(static_cast<std::size_t>(p.large.count())),
        weight(static_cast<std::size_t>(p.weights())),
        bias(static_cast<std::size_t>(p.small.c)) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const float scale = std::sqrt(2.0f / static_cast<float>(p.kernel * p.kernel * p.large.c));
    for (float& v : x) v = normal(random);
    for (float& v : weight) v = scale * normal(random);
    for (float& v : bias) v = 0.1f * normal(random);
  }
};

class OneDnn {
 public:
  OneDnn(const ops::Conv2dProblem& p, Numbers& numbers) : primitive_desc_(describe(p)), primitive_(primitive_desc_) {
    using Tag = dnnl::memory::format_tag;
    const auto from = [&](std::vector<float>& data, const dnnl::memory::dims& dims, Tag tag) {
      return dnnl::memory({dims, dnnl::memory::data_type::f32, tag}, engine_, data.data());
    };
    dnnl::memory x = from(numbers.x, dims(p.large), Tag::nhwc);
    dnnl::memory weight = from(numbers.weight, {p.small.c, p.large.c, p.kernel, p.kernel}, Tag::ohwi);
    dnnl::memory bias = from(numbers.bias, {p.small.c}, Tag::x);
    dnnl::memory own_x(primitive_desc_.src_desc(), engine_), own_weight(primitive_desc_.weights_desc(), engine_);
    dnnl::reorder(x, own_x).execute(stream_, x, own_x);
    dnnl::reorder(weight, own_weight).execute(stream_, weight, own_weight);
    y_ = dnnl::memory(primitive_desc_.dst_desc(), engine_);
    arguments_ = {{DNNL_ARG_SRC, own_x}, {DNNL_ARG_WEIGHTS, own_weight}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, y_}};
    stream_.wait();
  }

  void run() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }
  std::string implementation() const { return primitive_desc_.impl_info_str(); }

  std::vector<float> result(const ops::Conv2dProblem& p) {
    std::vector<float> values(static_cast<std::size_t>(p.small.count()));
    dnnl::memory dense({dims(p.small), dnnl::memory::data_type::f32, dnnl::memory::format_tag::nhwc}, engine_,
                       values.data());
    dnnl::reorder(y_, dense).execute(stream_, y_, dense);
    stream_.wait();
    return values;
  }

 private:
  static dnnl::memory::dims dims(const Shape& s) { return {s.n, s.c, s.h, s.w}; }

  dnnl::convolution_forward::primitive_desc describe(const ops::Conv2dProblem& p) const {
    const auto any = [](const dnnl::memory::dims& d, dnnl::memory::format_tag tag) {
      return dnnl::memory::desc(d, dnnl::memory::data_type::f32, tag);
    };
    const auto free = dnnl::memory::format_tag::any;
    const Index after = (p.small.h - 1) * p.stride + p.kernel - p.pad - p.large.h;
    const dnnl::convolution_forward::desc what(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_auto, any(dims(p.large), free),
        any({p.small.c, p.large.c, p.kernel, p.kernel}, free), any({p.small.c}, dnnl::memory::format_tag::x),
        any(dims(p.small), free), {p.stride, p.stride}, {p.pad, p.pad}, {after, after});
    dnnl::post_ops elu;
    elu.append_eltwise(1.0f, dnnl::algorithm::eltwise_elu, 1.0f, 0.0f);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(elu);
    return {what, attributes, engine_};
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::convolution_forward::primitive_desc primitive_desc_;
  dnnl::convolution_forward primitive_;
  dnnl::memory y_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

/// oneDNN's OpenMP threads spin for some milliseconds after their work: wait until they sleep, or they take our cores.
template <class Work>
double seconds_of(const Work& work) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto start = Clock::now();
  work();
  return nucdet_bench::seconds_since(start);
}

/// In units of the largest wanted value.
double largest_difference(const std::vector<float>& found, const std::vector<float>& wanted) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(found[i]) - static_cast<double>(wanted[i])));
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
  }
  return difference / largest;
}

void compare(Context<Cpu>& context, const Case& c, int rounds) {
  const Shape x{1, c.size, c.size, c.inputs};
  const ops::Conv2dProblem problem = ops::same_convolution(x, c.outputs, c.kernel, c.stride);
  Numbers numbers(problem);
  OneDnn peer(problem, numbers);
  std::vector<float> y(static_cast<std::size_t>(problem.small.count()));
  ops::Epilogue<float> epilogue;
  epilogue.bias = numbers.bias.data();
  epilogue.first = {ops::Fused::Kind::elu, 1.0f};
  const View<const float> from(numbers.x.data(), problem.large);
  const View<float> to(y.data(), problem.small);
  const auto ours = [&] { ops::conv2d<float>(context, problem, from, numbers.weight.data(), epilogue, to); };
  peer.run(), ours();  // first touch, code generation

  const double difference = largest_difference(y, peer.result(problem));
  std::vector<double> their_time, our_time, peak_time;
  for (int round = 0; round < rounds; ++round) {
    their_time.push_back(seconds_of([&] { peer.run(); }));
    our_time.push_back(seconds_of(ours));
    peak_time.push_back(nucdet_bench::MultiplyAdd::run(context.threads()));
  }
  const double work = static_cast<double>(problem.flops()) * 1e-9;
  const double theirs = work / median(their_time), own = work / median(our_time);
  const double peak = nucdet_bench::MultiplyAdd::flop(context.threads()) * 1e-9 / median(peak_time);
  std::printf("| %dx%d /%d %3d->%-3d %3dx%-3d | %6.1f | %6.1f | %5.2f | %6.1f | %.1e | %s |\n", c.kernel, c.kernel,
              c.stride, c.inputs, c.outputs, c.size, c.size, theirs, own, own / theirs, peak, difference,
              peer.implementation().c_str());
  std::fflush(stdout);
}

void print_table(bool limit_to_avx2, int threads, int rounds) {
  if (limit_to_avx2) dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  std::printf("\noneDNN %s, %d thread(s), %d rounds, medians\n\n", limit_to_avx2 ? "held to AVX2" : "unlimited",
              threads, rounds);
  std::printf(
      "| kernel /stride, channels, input | oneDNN GF/s | nucdet GF/s | nucdet / oneDNN | peak of this build, GF/s "
      "| largest difference / largest value | oneDNN's choice |\n|---|---|---|---|---|---|---|\n");
  Context<Cpu> context({.threads = threads});
  for (const Case& c : kCases) compare(context, c, rounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(1, argc > 1 ? std::atoi(argv[1]) : 9);
  const char* set = std::getenv("OMP_NUM_THREADS");
  const int hardware = static_cast<int>(std::thread::hardware_concurrency());
  const int threads = std::max(1, set != nullptr ? std::atoi(set) : hardware);
  bool failed = false;
  for (const bool limit_to_avx2 : {true, false}) {  // oneDNN settles its instruction set once a process
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      print_table(limit_to_avx2, threads, rounds);
      return 0;
    }
    int status = 1;
    failed = child < 0 || waitpid(child, &status, 0) < 0 || status != 0 || failed;
  }
  return failed ? 1 : 0;
}
