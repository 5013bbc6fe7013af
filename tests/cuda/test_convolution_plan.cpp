#include <cmath>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "nucdet/core/rng.hpp"

#include "cuda/convolution_plan.hpp"
#include "cuda/emulator/fake_cudnn.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;
using nucdet::cuda::ConvolutionPass;
using nucdet::cuda::ConvolutionPlan;
using nucdet::cuda::ConvolutionRequest;
using nucdet::cuda::CudnnApi;
using nucdet::cuda::used_extent;
using ops::Conv2dProblem;
using ops::Fused;
using ops::Rounding;

namespace {

using Numbers = std::vector<double>;
using Kind = Fused::Kind;

/// A map in memory: strides as given, every other element a mark that must survive.
struct Map {
  DType type;
  Shape shape;
  cuda::MapStrides strides;
  std::vector<std::uint64_t> memory;

  Map(DType t, const Shape& s, Index gap)
      : type(t), shape(s), strides{0, (s.w + (gap > 0 ? 1 : 0)) * (s.c + gap), s.c + gap} {
    strides.image = (s.h + (gap > 0 ? 1 : 0)) * strides.row;
    const auto bytes = static_cast<std::size_t>(s.n * strides.image) * size_of(t);
    memory.assign(bytes / 8 + 1, 0x3e803e803e803e80);
  }
  Index at(Index n, Index y, Index x, Index c) const {
    return n * strides.image + y * strides.row + x * strides.pixel + c;
  }
  void* data() { return memory.data(); }
  template <class Body>
  void each(Body&& body) const {
    std::size_t i = 0;
    for (Index n = 0; n < shape.n; ++n)
      for (Index y = 0; y < shape.h; ++y)
        for (Index x = 0; x < shape.w; ++x)
          for (Index c = 0; c < shape.c; ++c) body(at(n, y, x, c), i++);
  }
  Numbers values() const {
    Numbers all;
    each([&](Index place, std::size_t) { all.push_back(load_element(type, memory.data(), place)); });
    return all;
  }
  /// True if nothing was written between the pixels.
  bool untouched_outside() const {
    std::vector<bool> own(memory.size() * 8 / size_of(type), false);
    each([&](Index place, std::size_t) { own[static_cast<std::size_t>(place)] = true; });
    const double mark = Map(type, {1, 1, 1, 1}, 0).values()[0];
    for (std::size_t i = 0; i < own.size(); ++i)
      if (!own[i] && load_element(type, memory.data(), static_cast<Index>(i)) != mark) return false;
    return true;
  }
};

Map random_map(DType type, const Shape& shape, Index gap, std::uint64_t stream) {
  Map map(type, shape, gap);
  RandomStream random{5, stream};
  map.each([&](Index place, std::size_t) { store_element(type, map.data(), place, random.uniform(-1, 1)); });
  return map;
}

/// The formula of Conv2dProblem, term by term: body(small pixel, tap, large pixel).
template <class Body>
void each_term(const Conv2dProblem& p, Body&& body) {
  for (Index n = 0; n < p.small.n; ++n)
    for (Index i = 0; i < p.small.h; ++i)
      for (Index j = 0; j < p.small.w; ++j)
        for (Index ky = 0; ky < p.kernel.y; ++ky)
          for (Index kx = 0; kx < p.kernel.x; ++kx) {
            const Index y = p.stride.y * i + p.dilation.y * ky - p.pad.y,
                        x = p.stride.x * j + p.dilation.x * kx - p.pad.x;
            if (y < 0 || x < 0 || y >= p.large.h || x >= p.large.w) continue;
            body((n * p.small.h + i) * p.small.w + j, ky * p.kernel.x + kx, (n * p.large.h + y) * p.large.w + x);
          }
}

Numbers sums(ConvolutionPass pass, const Conv2dProblem& p, const Numbers& large, const Numbers& small,
             const Numbers& weight) {
  const Index ci = p.group_inputs(), co = p.small.c, taps = p.kernel.count();
  Numbers result(pass == ConvolutionPass::forward         ? small.size()
                 : pass == ConvolutionPass::data_gradient ? large.size()
                                                          : weight.size());
  each_term(p, [&](Index s, Index tap, Index l) {
    for (Index o = 0; o < co; ++o)
      for (Index c = 0; c < ci; ++c) {
        const auto is = static_cast<std::size_t>(s * co + o),
                   il = static_cast<std::size_t>(l * p.large.c + o / p.group_outputs() * ci + c),
                   iw = static_cast<std::size_t>((o * taps + tap) * ci + c);
        if (pass == ConvolutionPass::forward)
          result[is] += weight[iw] * large[il];
        else if (pass == ConvolutionPass::data_gradient)
          result[il] += weight[iw] * small[is];
        else
          result[iw] += small[is] * large[il];
      }
  });
  return result;
}

double activate(const Fused& f, double x) {
  switch (f.kind) {
    case Kind::none:
      return x;
    case Kind::elu:
      return x > 0 ? x : static_cast<double>(f.parameter) * std::expm1(x);
    case Kind::relu:
      return x > 0 ? x : 0;
    case Kind::leaky_relu:
      return x > 0 ? x : static_cast<double>(f.parameter) * x;
    case Kind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Kind::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Kind::silu:
      return x / (1 + std::exp(-x));
    case Kind::scaled_sigmoid:
    case Kind::scale:
      FAIL("no plan has " << name_of(f.kind));
  }
  return x;
}

double tolerance(DType type) { return type == DType::f32 ? 1e-5 : type == DType::bf16 ? 5e-3 : 6e-4; }

Shape weight_shape(const Conv2dProblem& p) { return {p.small.c, p.kernel.y, p.kernel.x, p.group_inputs()}; }

/// One request with memory for all that it reads and writes.
struct Trial {
  ConvolutionRequest request;
  Map large, small, weight, residual, result;
  std::vector<float> bias;
  std::vector<double> workspace = std::vector<double>(8);

  Trial(const ConvolutionRequest& r, Index gap)
      : request(r),
        large(random_map(r.type, r.problem.large, gap, 1)),
        small(random_map(r.type, r.problem.small, gap, 2)),
        weight(random_map(r.type, weight_shape(r.problem), 0, 3)),
        residual(random_map(r.type, result_shape(), gap, 4)),
        result(r.result, result_shape(), r.pass == ConvolutionPass::weight_gradient ? 0 : gap) {
    request.large = large.strides;
    request.small = small.strides;
    request.residual_strides = residual.strides;
    if (r.pass == ConvolutionPass::forward) request.small = result.strides;
    if (r.pass == ConvolutionPass::data_gradient) request.large = result.strides;
    for (Index c = 0; c < result_shape().c; ++c) bias.push_back(0.25f * static_cast<float>(c) - 0.5f);
  }
  Shape result_shape() const {
    const Conv2dProblem& p = request.problem;
    switch (request.pass) {
      case ConvolutionPass::forward:
        return p.small;
      case ConvolutionPass::data_gradient:
        return p.large;
      default:
        return weight_shape(p);
    }
  }
  cuda::ConvolutionArguments arguments() {
    return {large.data(), small.data(), weight.data(), result.data(), bias.data(), residual.data(), workspace.data()};
  }
  Numbers wanted() const {
    Numbers all = sums(request.pass, request.problem, large.values(), small.values(), weight.values());
    const Numbers other = residual.values();
    const auto channels = static_cast<std::size_t>(result_shape().c);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (request.bias) all[i] += static_cast<double>(bias[i % channels]);
      all[i] = activate(request.first, all[i]) + (request.residual ? other[i] : 0);
      all[i] = activate(request.last, all[i]);
    }
    return all;
  }
  /// Largest error, relative to the largest number, of the rows and columns that the plan writes.
  double error(const cuda::UsedExtent& used) const {
    const Numbers want = wanted(), got = result.values();
    const bool cut = request.pass == ConvolutionPass::data_gradient;
    const Shape s = result_shape();
    double worst = 0, scale = 1e-30;
    for (std::size_t i = 0; i < want.size(); ++i) {
      const auto pixel = static_cast<Index>(i) / s.c;
      if (cut && (pixel % s.w >= used.w || pixel / s.w % s.h >= used.h)) continue;
      worst = std::max(worst, std::abs(got[i] - want[i]));
      scale = std::max(scale, std::abs(want[i]));
    }
    return worst / scale;
  }
};

/// A handle of the fake, and a check that nothing leaks.
struct Fake {
  const CudnnApi& api;
  cudnnHandle_t handle = nullptr;
  std::size_t before = fake_cudnn_descriptors();

  explicit Fake(FakeCudnnOptions options = {}) : api(fake_cudnn(std::move(options))) { api.create(&handle); }
  ~Fake() {
    api.destroy(handle);
    CHECK(fake_cudnn_descriptors() == before);
  }
  Fake(const Fake&) = delete;
  Fake& operator=(const Fake&) = delete;

  std::unique_ptr<ConvolutionPlan> find(const ConvolutionRequest& request, std::string& why) const {
    return ConvolutionPlan::find(api, handle, request, why);
  }
};

void check_trial(const Fake& fake, const ConvolutionRequest& request, Index gap) {
  Trial trial(request, gap);
  std::string why;
  const auto plan = fake.find(trial.request, why);
  INFO(text_of(trial.request) << ", gap " << gap << ": " << why);
  REQUIRE(plan != nullptr);
  CHECK(why.empty());
  plan->run(trial.arguments());
  CHECK(trial.error(plan->used()) < tolerance(request.result));
  CHECK(trial.result.untouched_outside());
}

std::vector<Conv2dProblem> awkward_problems() {
  std::vector<Conv2dProblem> all;
  for (const Shape& x : {Shape{1, 1, 1, 1}, Shape{2, 7, 5, 3}, Shape{1, 8, 9, 8}, Shape{1, 11, 16, 3}})
    for (const Index kernel : {1, 2, 3, 4, 5})
      for (const Index stride : {1, 2, 4, 8})
        for (const Rounding rounding : {Rounding::floor, Rounding::ceil}) {
          const bool floor = rounding == Rounding::floor;
          if (floor && (x.h < stride || x.w < stride)) continue;
          all.push_back(ops::same_convolution(x, floor ? 8 : 1, kernel, stride, rounding));
        }
  for (const Index pad : {0, 1, 2}) {
    all.push_back(ops::padded_convolution({2, 6, 9, 3}, 8, 3, 2, pad));
    all.push_back(ops::padded_convolution({1, 5, 5, 1}, 3, 4, 4, pad));
    all.push_back(ops::transposed_convolution({1, 3, 4, 8}, 3, 4, 2, pad, 1));
    all.push_back(ops::transposed_convolution({2, 2, 3, 3}, 8, 5, 4, pad, 0));
    all.push_back(ops::padded_convolution({1, 9, 11, 3}, 4, {3, 2}, {1, 2}, {pad, 1}, {2, 3}));
  }
  all.push_back(ops::same_convolution({1, 7, 9, 4}, 8, {3, 1}, 1));
  all.push_back(ops::same_convolution({1, 8, 9, 4}, 8, 3, 2, Rounding::floor, 2));
  all.push_back(ops::grouped(ops::same_convolution({2, 6, 7, 6}, 4, 3, 1), 2));
  all.push_back(ops::grouped(ops::same_convolution({1, 6, 7, 6}, 12, 3, 2, Rounding::floor, 3), 6));
  return all;
}

ConvolutionRequest simple(DType type = DType::f32) {
  ConvolutionRequest r;
  r.problem = ops::same_convolution({1, 8, 8, 8}, 8, 3, 2);
  r.type = r.result = type;
  r.large = {512, 64, 8};
  r.small = {128, 32, 8};
  r.residual_strides = r.small;
  return r;
}

}  // namespace

TEST_CASE("used_extent: the size formula of cuDNN gives the small side exactly") {
  for (const Conv2dProblem& p : awkward_problems()) {
    const cuda::UsedExtent u = used_extent(p);
    INFO(p.large << " to " << p.small << " kernel " << p.kernel << " stride " << p.stride << " pad " << p.pad);
    const Index tall = p.dilation.y * (p.kernel.y - 1) + 1, wide = p.dilation.x * (p.kernel.x - 1) + 1;
    CHECK((u.h + p.pad.y + u.pad_after_h - tall) == (p.small.h - 1) * p.stride.y);
    CHECK((u.w + p.pad.x + u.pad_after_w - wide) == (p.small.w - 1) * p.stride.x);
    CHECK(u.pad_after_h >= 0);
    CHECK(u.pad_after_w >= 0);
    CHECK((u.pad_after_h == 0 || u.h == p.large.h));
    CHECK((u.pad_after_w == 0 || u.w == p.large.w));
    // Nothing beyond is read.
    Index last_row = -1, last_column = -1;
    each_term(p, [&](Index, Index, Index l) {
      last_row = std::max(last_row, l / p.large.w % p.large.h);
      last_column = std::max(last_column, l % p.large.w);
    });
    CHECK(last_row < u.h);
    CHECK(last_column < u.w);
  }
}

TEST_CASE("used_extent: numbers worked out by hand") {
  using cuda::UsedExtent;
  using ops::same_convolution;
  // Kernel 1, stride 2: rows 0, 2, 4 of 7 with floor; 0, 2, 4, 6 with ceil.
  CHECK(used_extent(same_convolution({1, 7, 8, 1}, 1, 1, 2)) == UsedExtent{5, 7, 0, 0});
  CHECK(used_extent(same_convolution({1, 7, 8, 1}, 1, 1, 2, Rounding::ceil)) == UsedExtent{7, 7, 0, 0});
  // Kernel 3, stride 1: one row of zeros after.
  CHECK(used_extent(same_convolution({1, 7, 8, 1}, 1, 3, 1)) == UsedExtent{7, 8, 1, 1});
  // Kernel 3, stride 8: rows -1, 0, 1 and 7, 8, 9 of 17.
  CHECK(used_extent(same_convolution({1, 17, 16, 1}, 1, 3, 8)) == UsedExtent{10, 10, 0, 0});
  CHECK(used_extent(same_convolution({1, 17, 16, 1}, 1, 3, 8, Rounding::ceil)) == UsedExtent{17, 10, 1, 0});
  // Kernel 5, stride 2: the last output of 4 looks at rows 4 to 8 of 8, of which row 8 is a zero.
  CHECK(used_extent(same_convolution({1, 8, 9, 1}, 1, 5, 2)) == UsedExtent{8, 9, 1, 0});
  // A transposed convolution with one more row than its input asks for.
  CHECK(used_extent(ops::transposed_convolution({1, 3, 3, 1}, 1, 2, 2, 0, 1)) == UsedExtent{6, 6, 0, 0});
}

TEST_CASE("Plans: every pass over awkward shapes") {
  const Fake fake;
  for (const Conv2dProblem& p : awkward_problems())
    for (const ConvolutionPass pass :
         {ConvolutionPass::forward, ConvolutionPass::data_gradient, ConvolutionPass::weight_gradient})
      for (const Index gap : {0, 5}) {
        ConvolutionRequest r;
        r.pass = pass;
        r.problem = p;
        check_trial(fake, r, gap);
      }
}

TEST_CASE("Plans: half types, and f32 results of half maps") {
  const Fake fake;
  for (const DType type : {DType::bf16, DType::f16})
    for (const DType result : {type, DType::f32})
      for (const ConvolutionPass pass :
           {ConvolutionPass::forward, ConvolutionPass::data_gradient, ConvolutionPass::weight_gradient}) {
        ConvolutionRequest r;
        r.pass = pass;
        r.problem = ops::same_convolution({2, 9, 7, 3}, 8, 3, 2, Rounding::ceil);
        r.type = type;
        r.result = result;
        check_trial(fake, r, 3);
      }
}

TEST_CASE("Plans: f32 results of half maps are asked for in two ways") {
  ConvolutionRequest r = simple(DType::bf16);
  r.pass = ConvolutionPass::weight_gradient;
  r.result = DType::f32;
  FakeCudnnOptions options;
  for (const bool fused : {false, true}) {
    options.fused_graphs = fused;
    const Fake fake(options);
    std::string why;
    CHECK(ConvolutionPlan::candidates(fake.api, fake.handle, r, 9, why).size() == (fused ? 4 : 2));
    check_trial(fake, r, 0);
  }
}

TEST_CASE("Plans: epilogues") {
  const Fake fake;
  const std::vector<Fused> all = {{},
                                  {Kind::elu, 1},
                                  {Kind::elu, 0.5f},
                                  {Kind::relu, 0},
                                  {Kind::leaky_relu, 0.1f},
                                  {Kind::sigmoid, 0},
                                  {Kind::gelu, 0},
                                  {Kind::silu, 0}};
  for (const ConvolutionPass pass : {ConvolutionPass::forward, ConvolutionPass::data_gradient})
    for (const Fused& first : all)
      for (const Fused& last : all)
        for (const int added : {0, 1, 2, 3}) {
          ConvolutionRequest r;
          r.pass = pass;
          r.problem = ops::same_convolution({1, 5, 4, 3}, 4, 3, 2);
          r.type = r.result = added == 3 ? DType::bf16 : DType::f32;
          r.bias = (added & 1) != 0;
          r.residual = (added & 2) != 0;
          r.first = first;
          r.last = last;
          check_trial(fake, r, 1);
        }
}

TEST_CASE("Plans: a data gradient says what it leaves unwritten") {
  const Fake fake;
  ConvolutionRequest r;
  r.pass = ConvolutionPass::data_gradient;
  r.problem = ops::same_convolution({1, 7, 8, 2}, 3, 1, 2);
  Trial trial(r, 0);
  std::string why;
  const auto plan = fake.find(trial.request, why);
  REQUIRE(plan != nullptr);
  CHECK_FALSE(plan->covers_large());
  CHECK(plan->used() == cuda::UsedExtent{5, 7, 0, 0});
  const Numbers before = trial.result.values();
  plan->run(trial.arguments());
  const Numbers after = trial.result.values();
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::size_t pixel = i / 2;
    if (pixel / 8 >= 5 || pixel % 8 >= 7) CHECK(after[i] == before[i]);
  }
  trial.request.problem = ops::same_convolution({1, 7, 8, 2}, 3, 3, 1);
  trial.request.small = {7 * 8 * 3, 8 * 3, 3};
  const auto whole = fake.find(trial.request, why);
  REQUIRE(whole != nullptr);
  CHECK(whole->covers_large());
}

TEST_CASE("Plans: engines that break the rules are passed over") {
  FakeCudnnOptions options;
  options.engines.push_back({3, {CUDNN_NUMERICAL_NOTE_FFT}, CUDNN_HEUR_MODE_FALLBACK});
  options.engines.push_back({4, {CUDNN_NUMERICAL_NOTE_WINOGRAD}, CUDNN_HEUR_MODE_FALLBACK, 16});
  const Fake fake(options);
  ConvolutionRequest r = simple();
  const auto engines = [&] {
    std::string why, text;
    for (const auto& plan : ConvolutionPlan::candidates(fake.api, fake.handle, r, 9, why))
      text += plan->describe().substr(7, 1);
    return text;
  };
  CHECK(engines() == "024");
  r.deterministic = false;
  CHECK(engines() == "0124");
  r.tensor_cores = false;
  CHECK(engines() == "12");
  r.deterministic = true;
  CHECK(engines() == "2");
  std::string why;
  CHECK(fake.find(r, why)->describe() == "engine 2, knobs 2=7, compiled at run time, workspace 0 bytes");
  r.tensor_cores = true;
  CHECK(ConvolutionPlan::candidates(fake.api, fake.handle, r, 2, why).size() == 2);
  CHECK(ConvolutionPlan::candidates(fake.api, fake.handle, r, 0, why).empty());
}

TEST_CASE("Plans: the same engine offered twice is one candidate; one that cannot be built is passed over") {
  FakeCudnnOptions options;
  options.engines = {
      {5, {}, CUDNN_HEUR_MODE_A, 0, false}, {6, {}, CUDNN_HEUR_MODE_A, 8}, {6, {}, CUDNN_HEUR_MODE_FALLBACK, 8}};
  const Fake fake(options);
  std::string why;
  const auto found = ConvolutionPlan::candidates(fake.api, fake.handle, simple(), 9, why);
  REQUIRE(found.size() == 1);
  CHECK(found[0]->describe().starts_with("engine 6"));
  CHECK(found[0]->workspace_bytes() == 8);
}

TEST_CASE("Plans: the reason when there is none") {
  FakeCudnnOptions options;
  options.fused_graphs = options.wide_results = false;
  options.engines = {{0, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}}, {1, {}, CUDNN_HEUR_MODE_A, 0, false}};
  const Fake fake(options);
  std::string why;
  const auto reason = [&](const ConvolutionRequest& r) {
    CHECK(fake.find(r, why) == nullptr);
    return why;
  };
  ConvolutionRequest r = simple();
  r.tensor_cores = false;
  CHECK(reason(r) ==
        "no plan for conv forward 1x8x8x8 to 1x4x4x8, kernel 3, stride 2, pad 1, f32, strict: engine 0: tensor cores; "
        "engine 1: cuDNN: finalizing failed: CUDNN_STATUS_NOT_SUPPORTED: the engine does not work; fallback "
        "heuristics: no engine");
  r = simple();
  r.bias = true;
  CHECK_THAT(reason(r), Catch::Matchers::Contains("no engine supports the graph"));
  r = simple(DType::bf16);
  r.result = DType::f32;
  CHECK_THAT(reason(r), Catch::Matchers::Contains("bf16 to f32: heuristics A"));
  r.result = DType::f16;
  CHECK_THAT(reason(r), Catch::Matchers::Contains("the result is f16, wanted bf16 or f32"));
  r = simple();
  r.pass = ConvolutionPass::weight_gradient;
  r.bias = true;
  CHECK_THAT(reason(r), Catch::Matchers::Contains("a weight gradient has no epilogue"));
  CHECK_THAT(reason(simple(DType::f64)), Catch::Matchers::Contains("f64 is not supported"));
  r = simple();
  r.problem = {{1, 1, 1, 8}, {1, 1, 1, 8}, 1, 4, 1};
  CHECK_THAT(reason(r), Catch::Matchers::Contains("outside the large map"));
  // A problem that the shapes contradict is found by cuDNN's checks.
  r = simple();
  r.problem.small.n = 2;
  CHECK_THAT(reason(r), Catch::Matchers::Contains("images or channels do not agree"));
  CudnnApi none;
  none.problem = "no library";
  CHECK(ConvolutionPlan::find(none, nullptr, simple(), why) == nullptr);
  CHECK(why == "no library");
}

TEST_CASE("Plans: pointers are checked before they reach the device") {
  FakeCudnnOptions options;
  options.engines = {{0, {}, CUDNN_HEUR_MODE_A, 64}};
  const Fake fake(options);
  Trial trial(simple(), 0);
  std::string why;
  const auto plan = fake.find(trial.request, why);
  REQUIRE(plan != nullptr);
  cuda::ConvolutionArguments a = trial.arguments();
  a.small = nullptr;  // not read
  plan->run(a);
  a.workspace = nullptr;
  CHECK_THROWS_WITH(plan->run(a), Catch::Matchers::Contains("no workspace, wanted 64 bytes"));
  a = trial.arguments();
  a.large = static_cast<const float*>(a.large) + 1;
  CHECK_THROWS_WITH(plan->run(a), Catch::Matchers::Contains("the large map is not aligned, wanted a multiple of 16"));
  a.large = nullptr;
  CHECK_THROWS_AS(plan->run(a), ArgumentError);
  trial.request.alignment.large = 4;
  const auto loose = fake.find(trial.request, why);
  REQUIRE(loose != nullptr);
  trial.large.memory.resize(trial.large.memory.size() + 1);  // room for the shift
  a = trial.arguments();
  a.large = static_cast<const float*>(a.large) + 1;
  CHECK_NOTHROW(loose->run(a));
}

TEST_CASE("Plans: work is queued, and a plan may go before it runs") {
  std::vector<std::function<void()>> queue;
  FakeCudnnOptions options;
  options.queue = [&](std::function<void()> work) { queue.push_back(std::move(work)); };
  const Fake fake(options);
  Trial trial(simple(), 2);
  std::string why;
  auto plan = fake.find(trial.request, why);
  REQUIRE(plan != nullptr);
  const cuda::UsedExtent used = plan->used();
  const Numbers before = trial.result.values();
  plan->run(trial.arguments());
  plan.reset();
  CHECK(trial.result.values() == before);
  REQUIRE(queue.size() == 1);
  queue[0]();
  CHECK(trial.error(used) < tolerance(DType::f32));
}

TEST_CASE("Requests: equality and hash look at what matters") {
  const cuda::RequestHash hash;
  const ConvolutionRequest a = simple();
  ConvolutionRequest b = a;
  b.residual_strides.row = 7;
  b.first.parameter = 3;
  CHECK(a == b);
  CHECK(hash(a) == hash(b));
  const auto differs = [&](auto&& change) {
    ConvolutionRequest c = a;
    change(c);
    return !(c == a) && hash(c) != hash(a);
  };
  CHECK(differs([](auto& r) { r.pass = ConvolutionPass::data_gradient; }));
  CHECK(differs([](auto& r) { r.problem.large.w = 9; }));
  CHECK(differs([](auto& r) { r.problem.pad = 0; }));
  CHECK(differs([](auto& r) { r.problem.stride.x = 3; }));
  CHECK(differs([](auto& r) { r.problem.dilation.y = 2; }));
  CHECK(differs([](auto& r) { r.problem.groups = 2; }));
  CHECK(differs([](auto& r) { r.type = DType::bf16; }));
  CHECK(differs([](auto& r) { r.result = DType::bf16; }));
  CHECK(differs([](auto& r) { r.large.row = 65; }));
  CHECK(differs([](auto& r) { r.small.pixel = 9; }));
  CHECK(differs([](auto& r) { r.bias = true; }));
  CHECK(differs([](auto& r) { r.first.kind = Kind::relu; }));
  CHECK(differs([](auto& r) { r.last = {Kind::elu, 1}; }));
  CHECK(differs([](auto& r) { r.residual = true; }));
  CHECK(differs([](auto& r) { r.tensor_cores = false; }));
  CHECK(differs([](auto& r) { r.deterministic = false; }));
  CHECK(differs([](auto& r) { r.alignment.weight = 4; }));
  std::unordered_map<ConvolutionRequest, int, cuda::RequestHash> plans;
  plans[a] = 1;
  plans[b] = 2;
  CHECK(plans.size() == 1);
}

TEST_CASE("Requests: their text") {
  ConvolutionRequest r = simple(DType::bf16);
  r.bias = r.residual = true;
  r.first = {Kind::elu, 1};
  r.last = {Kind::leaky_relu, 0.25f};
  CHECK(text_of(r) ==
        "conv forward 1x8x8x8 to 1x4x4x8, kernel 3, stride 2, pad 1, bf16 + bias + elu(1) + residual + "
        "leaky_relu(0.25)");
  r = simple();
  r.pass = ConvolutionPass::data_gradient;
  r.deterministic = false;
  CHECK(text_of(r) == "conv data gradient 1x4x4x8 to 1x8x8x8, kernel 3, stride 2, pad 1, f32, any order");
  r.deterministic = true;
  r.problem.kernel = {3, 1}, r.problem.dilation = 2, r.problem.groups = 4;
  CHECK(text_of(r) == "conv data gradient 1x4x4x8 to 1x8x8x8, kernel 3x1, stride 2, pad 1, dilation 2, 4 groups, f32");
}

TEST_CASE("The fake refuses what the header does not allow") {
  const Fake fake;
  using cuda::Descriptor;
  const std::array<std::int64_t, 4> dims = {1, 2, 3, 4};
  Descriptor t(fake.api, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  CHECK_THROWS_WITH(t.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2}), Catch::Matchers::Contains("unknown"));
  CHECK_THROWS_WITH(t.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, 2.0), Catch::Matchers::Contains("has type 5, wanted 3"));
  CHECK_THROWS_WITH(t.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::span<const std::int64_t>(dims)),
                    Catch::Matchers::Contains("4 elements, wanted 1 to 1"));
  CHECK_THROWS_WITH(t.finalize(), Catch::Matchers::Contains("attribute 901 is missing"));
  t.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
  t.set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims);
  t.set(CUDNN_ATTR_TENSOR_STRIDES, dims);
  t.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::int64_t{1});
  t.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16});
  CHECK_THROWS_WITH(t.finalize(), Catch::Matchers::Contains("channels are not contiguous"));
  CHECK_THROWS_AS(Descriptor(fake.api, CUDNN_BACKEND_MATMUL_DESCRIPTOR), CudaError);
  Descriptor heuristics(fake.api, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  CHECK_THROWS_WITH(heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, t),
                    Catch::Matchers::Contains("not finalized"));
}

TEST_CASE("cudnn_api: a table or a reason") {
  const CudnnApi& api = cuda::cudnn_api();
  CHECK((api.create == nullptr) == !api.problem.empty());
  CHECK(&api == &cuda::cudnn_api());
}

TEST_CASE("alignment_of") {
  CHECK(cuda::alignment_of(reinterpret_cast<const void*>(std::uintptr_t{64})) == 16);
  CHECK(cuda::alignment_of(reinterpret_cast<const void*>(std::uintptr_t{24})) == 8);
  CHECK(cuda::alignment_of(reinterpret_cast<const void*>(std::uintptr_t{6})) == 2);
}
