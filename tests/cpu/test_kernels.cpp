#include <limits>
#include <string>
#include <vector>

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;
using namespace nucdet::ops;

namespace {

constexpr ConvolutionMethod kMethods[] = {ConvolutionMethod::automatic, ConvolutionMethod::direct,
                                          ConvolutionMethod::winograd_2, ConvolutionMethod::winograd_4,
                                          ConvolutionMethod::winograd_6};

/// Relative to the largest value, for sums of some hundred terms: it grows with the number of Winograd's points.
double tolerance(ConvolutionMethod method, const Conv2dProblem& p) {
  const Index taps = std::max((p.kernel.y + p.stride.y - 1) / p.stride.y, (p.kernel.x + p.stride.x - 1) / p.stride.x);
  const bool plain =
      method == ConvolutionMethod::direct || taps == 1 || (taps == 2 && method == ConvolutionMethod::winograd_2);
  const Index outputs = method == ConvolutionMethod::winograd_2 ? 2 : method == ConvolutionMethod::winograd_6 ? 6 : 4;
  const Index points = plain ? 0 : taps == 2 ? 6 : outputs + taps - 1;
  return points <= 4 ? 2e-6 : points <= 6 ? 2e-5 : 5e-5;
}

double difference(const std::vector<double>& found, const std::vector<double>& wanted) {
  REQUIRE(found.size() == wanted.size());
  double worst = 0, scale = 1e-30;
  for (std::size_t i = 0; i < found.size(); ++i) {
    worst = std::max(worst, std::abs(found[i] - wanted[i]));
    scale = std::max(scale, std::abs(wanted[i]));
  }
  return worst / scale;
}

/// The three passes of a problem, on views whose pixels lie apart.
template <class T>
struct Passes {
  std::vector<double> y, dx, dw;

  Passes(Context<Cpu>& context, const Conv2dProblem& p, const Fused& first, const Fused& last) {
    const std::vector<double> w = random_numbers(p.weights(), 3), b = random_numbers(std::max(p.large.c, p.small.c), 4);
    const std::vector<T> weight(w.begin(), w.end()), bias(b.begin(), b.end());
    Strided<T> x(context, p.large, random_numbers(p.large.count(), 1));
    Strided<T> slope(context, p.small, random_numbers(p.small.count(), 2));
    Strided<T> small_residual(context, p.small, random_numbers(p.small.count(), 5));
    Strided<T> large_residual(context, p.large, random_numbers(p.large.count(), 6));
    Strided<T> small(context, p.small, {}), large(context, p.large, {});
    const auto read = [](const Strided<T>& s) { return s.part.template view<const T>(); };
    conv2d<T>(context, p, read(x), weight.data(), {bias.data(), first, read(small_residual), last},
              small.part.template view<T>());
    conv2d_data_gradient<T>(context, p, read(slope), weight.data(), {bias.data(), first, read(large_residual), last},
                            large.part.template view<T>());
    std::vector<T> gradient(w.size(), T(1));
    conv2d_weight_gradient<T>(context, p, read(x), read(slope), gradient.data());
    y = numbers_of<T>(read(small)), dx = numbers_of<T>(read(large)), dw.assign(gradient.begin(), gradient.end());
    untouched(std::as_const(small.whole).template view<const T>(), p.small);
  }

 private:
  /// Nothing around the slice was written.
  static void untouched(View<const T> whole, const Shape& s) {
    double outside = 0;
    for (Index n = 0; n < s.n; ++n)
      for (Index row = 0; row < s.h + 2; ++row)
        for (Index column = 0; column < s.w + 1; ++column)
          for (Index c = 0; c < s.c + 3; ++c)
            if (row == 0 || row > s.h || column == s.w || c < 2 || c >= s.c + 2)
              outside += std::abs(static_cast<double>(whole(n, row, column, c)));
    CHECK(outside == 0);
  }
};

std::vector<Conv2dProblem> problems() {
  std::vector<Conv2dProblem> all;
  for (const Shape x : {Shape{1, 1, 1, 16}, Shape{2, 5, 7, 32}, Shape{1, 53, 50, 16}})
    for (const Index kernel : {3, 5}) all.push_back(same_convolution(x, 32, kernel, 1));
  all.push_back(same_convolution({1, 128, 130, 16}, 16, 3, 1));  // automatic takes F(6x6)
  all.push_back(same_convolution({1, 9, 11, 48}, 48, 3, 1));     // a panel that is not full
  for (const Index outputs : {12, 24}) all.push_back(same_convolution({1, 9, 11, 48}, outputs, 5, 1));
  all.push_back(same_convolution({1, 20, 19, 272}, 16, 3, 1));      // a depth in two parts
  all.push_back(padded_convolution({1, 12, 10, 16}, 16, 3, 1, 0));  // no border
  all.push_back(same_convolution({1, 33, 130, 3}, 20, 3, 1));       // few channels, several tiles
  all.push_back(same_convolution({2, 13, 21, 7}, 1, 1, 1));
  for (const Index size : {16, 21}) all.push_back(same_convolution({1, size, size, 16}, 40, 3, 2));
  // Phases: of every padding, and with an odd size the last of them smaller.
  for (const Index pad : {0, 1, 2})
    for (const Index kernel : {3, 4, 5}) all.push_back(padded_convolution({2, 16, 13, 32}, 48, kernel, 2, pad, 1));
  all.push_back(padded_convolution({1, 14, 15, 16}, 16, {6, 3}, {2, 1}, 1, 1));
  all.push_back(padded_convolution({1, 14, 15, 16}, 16, 2, 1, 0, 1));  // two taps, one phase: plain sums
  all.push_back(same_convolution({1, 130, 131, 16}, 32, 3, 2));        // many tiles
  all.push_back(transposed_convolution({1, 9, 10, 24}, 12, 3, 2, 1, 1));
  all.push_back(transposed_convolution({1, 5, 4, 16}, 16, 3, 8, 1, 1));  // most outputs meet no tap
  all.push_back(same_convolution({1, 30, 40, 16}, 16, 3, 1, Rounding::floor, 2));
  all.push_back(same_convolution({1, 30, 40, 7}, 20, {3, 1}, {2, 1}, Rounding::floor, {3, 1}));
  all.push_back(padded_convolution({1, 17, 19, 16}, 24, 3, 2, 2, {2, 3}));
  all.push_back(grouped(same_convolution({1, 12, 14, 32}, 48, 3, 1), 2));
  for (const Index channels : {16, 19, 96})
    for (const Index stride : {1, 2}) {
      all.push_back(grouped(same_convolution({2, 21, 101, channels}, channels, 3, stride), channels));
      all.push_back(
          grouped(same_convolution({1, 9, 14, channels}, channels, {5, 7}, stride, Rounding::ceil, {1, 2}), channels));
    }
  return all;
}

}  // namespace

TEST_CASE("every instruction set and every method agrees with double precision") {
  const Fused elu{Fused::Kind::elu, 1}, leaky{Fused::Kind::leaky_relu, 0.1f};
  Context<Cpu> wide({.threads = 2});
  for (const Conv2dProblem& p : problems()) {
    const Passes<double> wanted(wide, p, elu, leaky);
    for (const cpu::Kernels* kernels : cpu::available_kernels())
      for (const ConvolutionMethod method : kMethods) {
        CAPTURE(p.large, p.small, p.kernel, p.stride, p.pad, kernels->name, method);
        Context<Cpu> context({.threads = 2, .kernels = kernels, .convolution = method});
        const Passes<float> found(context, p, elu, leaky);
        CHECK(difference(found.y, wanted.y) < tolerance(method, p));
        CHECK(difference(found.dx, wanted.dx) < tolerance(method, p));
        CHECK(difference(found.dw, wanted.dw) < tolerance(method, p));
      }
  }
}

TEST_CASE("outputs that no tap reaches hold the activated bias") {
  const Conv2dProblem p = transposed_convolution({2, 3, 5, 16}, 20, 3, 8, 1, 1);
  const auto x = random_numbers(p.small.count(), 1), w = random_numbers(p.weights(), 2), b = random_numbers(20, 3);
  const std::vector<float> xf(x.begin(), x.end()), wf(w.begin(), w.end()), bf(b.begin(), b.end());
  const Fused elu{Fused::Kind::elu, 1};
  Context<Cpu> header({.threads = 1, .kernels = nullptr});
  std::vector<float> wanted(static_cast<std::size_t>(p.large.count()));
  conv2d_data_gradient<float>(header, p, {xf.data(), p.small}, wf.data(), {bf.data(), elu, {}, {}},
                              {wanted.data(), p.large});
  for (const cpu::Kernels* kernels : cpu::available_kernels()) {
    Context<Cpu> context({.threads = 2, .kernels = kernels});
    std::vector<float> y(wanted.size());
    conv2d_data_gradient<float>(context, p, {xf.data(), p.small}, wf.data(), {bf.data(), elu, {}, {}},
                                {y.data(), p.large});
    CHECK(difference({y.begin(), y.end()}, {wanted.begin(), wanted.end()}) < 2e-6);
  }
}

TEST_CASE("every activation is the one of the header") {
  using Kind = Fused::Kind;
  const Conv2dProblem p = same_convolution({1, 9, 9, 16}, 16, 3, 1);
  Context<Cpu> wide({.threads = 1});
  for (const Fused f :
       {Fused{}, Fused{Kind::elu, 0.7f}, Fused{Kind::relu, 0}, Fused{Kind::leaky_relu, 0.2f}, Fused{Kind::sigmoid, 0},
        Fused{Kind::scaled_sigmoid, 5}, Fused{Kind::scale, 0.3f}, Fused{Kind::gelu, 0}, Fused{Kind::silu, 0}}) {
    const Passes<double> wanted(wide, p, f, f);
    for (const cpu::Kernels* kernels : cpu::available_kernels())
      for (const ConvolutionMethod method : {ConvolutionMethod::direct, ConvolutionMethod::automatic}) {
        CAPTURE(f.kind, kernels->name, method);
        Context<Cpu> context({.threads = 1, .kernels = kernels, .convolution = method});
        CHECK(difference(Passes<float>(context, p, f, f).y, wanted.y) < tolerance(method, p));
      }
  }
}

TEST_CASE("bits depend neither on threads nor on what else is in the batch") {
  for (const cpu::Kernels* kernels : cpu::available_kernels())
    for (const ConvolutionMethod method : {ConvolutionMethod::automatic, ConvolutionMethod::direct})
      for (const Conv2dProblem& p :
           {same_convolution({3, 45, 50, 16}, 32, 3, 1), same_convolution({3, 14, 9, 32}, 16, 5, 1),
            same_convolution({3, 45, 50, 16}, 32, 3, 2), transposed_convolution({3, 9, 10, 16}, 16, 3, 2, 1, 1),
            grouped(same_convolution({3, 45, 50, 24}, 24, 3, 1), 24)}) {
        CAPTURE(p.large, p.small, kernels->name, method);
        Context<Cpu> one({.threads = 1, .kernels = kernels, .convolution = method});
        const Passes<float> alone(one, p, {}, {});
        for (const int threads : {2, 5}) {
          Context<Cpu> context({.threads = threads, .kernels = kernels, .convolution = method});
          const Passes<float> shared(context, p, {}, {});
          CHECK(shared.y == alone.y);
          CHECK(shared.dx == alone.dx);
          CHECK(shared.dw == alone.dw);
        }
        // The first image by itself.
        Conv2dProblem single = p;
        single.large.n = single.small.n = 1;
        const Passes<float> first(one, single, {}, {});
        CHECK(std::equal(first.y.begin(), first.y.end(), alone.y.begin()));
        CHECK(std::equal(first.dx.begin(), first.dx.end(), alone.dx.begin()));
      }
}

TEST_CASE("plain sums give the same bits however a map is cut") {
  for (const cpu::Kernels* kernels : cpu::available_kernels()) {
    Context<Cpu> context({.threads = 2, .kernels = kernels, .convolution = ConvolutionMethod::direct});
    const Conv2dProblem whole = same_convolution({1, 40, 60, 16}, 16, 3, 1),
                        part = same_convolution({1, 21, 33, 16}, 16, 3, 1);
    const auto numbers = random_numbers(whole.large.count(), 1), w = random_numbers(whole.weights(), 2);
    const std::vector<float> x(numbers.begin(), numbers.end()), weight(w.begin(), w.end());
    std::vector<float> y(x.size()), cut(static_cast<std::size_t>(part.small.count()));
    const View<const float> map(x.data(), whole.large);
    conv2d<float>(context, whole, map, weight.data(), {}, {y.data(), whole.small});
    conv2d<float>(context, part, map.window(7, 11, 21, 33), weight.data(), {}, {cut.data(), part.small});
    bool equal = true;
    for (Index i = 1; i + 1 < 21; ++i)
      for (Index j = 1; j + 1 < 33; ++j)
        for (Index c = 0; c < 16; ++c)
          equal = equal && View<float>(cut.data(), part.small)(0, i, j, c) ==
                               View<float>(y.data(), whole.small)(0, 7 + i, 11 + j, c);
    CHECK(equal);
  }
}

TEST_CASE("maps are convolved side by side as if they were one, smaller ones within zeros") {
  const Conv2dProblem p = same_convolution({2, 21, 30, 64}, 32, 5, 1);
  const std::vector<Shape> shapes{{2, 21, 30, 16}, {2, 17, 25, 32}, {2, 20, 30, 16}};
  for (const cpu::Kernels* kernels : cpu::available_kernels()) {
    CAPTURE(kernels->name);
    Context<Cpu> context({.threads = 2, .kernels = kernels});
    const std::vector<Index> channels{16, 32, 16};
    REQUIRE(kernels->joins(context, p, channels));
    CHECK_FALSE(kernels->joins(context, p, std::vector<Index>{13, 35, 16}));
    CHECK_FALSE(kernels->joins(context, same_convolution({2, 21, 30, 64}, 32, 5, 2), channels));
    CHECK_FALSE(kernels->joins(
        Context<Cpu>({.threads = 1, .kernels = kernels, .convolution = ConvolutionMethod::direct}), p, channels));
    auto joined = context.zeros(p.large), y = context.make(p.small), together = context.make(p.small);
    std::vector<Tensor<Cpu>> maps;
    std::vector<cpu::Source> sources;
    for (std::size_t k = 0; k < shapes.size(); ++k) {
      const Shape& s = shapes[k];
      const Index top = (p.large.h - s.h) / 2, left = (p.large.w - s.w) / 2;
      const auto slice = joined.channels(k == 0 ? 0 : k == 1 ? 16 : 48, s.c).window(top, left, s.h, s.w);
      const auto numbers = random_numbers(s.count(), k + 1);
      maps.push_back(context.make(s));
      std::copy(numbers.begin(), numbers.end(), maps.back().view<float>().data);
      ops::copy<float>(context, std::as_const(maps.back()).view<const float>(), Tensor<Cpu>(slice).view<float>());
      sources.push_back({std::as_const(maps.back()).view<const float>(), top, left});
    }
    const auto w = random_numbers(p.weights(), 7);
    const std::vector<float> weight(w.begin(), w.end()), bias(32, 0.25f);
    const Epilogue<float> epilogue{bias.data(), {Fused::Kind::elu, 1}, {}, {}};
    conv2d<float>(context, p, std::as_const(joined).view<const float>(), weight.data(), epilogue, y.view<float>());
    kernels->joined_convolution(context, p, sources, weight.data(), epilogue, together.view<float>());
    CHECK(numbers_of(together.view<const float>()) == numbers_of(y.view<const float>()));
  }
}

TEST_CASE("NaN and infinity reach the output") {
  for (const cpu::Kernels* kernels : cpu::available_kernels())
    for (const ConvolutionMethod method : kMethods) {
      Context<Cpu> context({.threads = 1, .kernels = kernels, .convolution = method});
      const Conv2dProblem p = same_convolution({1, 6, 6, 16}, 16, 3, 1);
      std::vector<float> x(static_cast<std::size_t>(p.large.count()), 1), y(x.size());
      const std::vector<float> w(static_cast<std::size_t>(p.weights()), 0.5f);
      x[0] = std::numeric_limits<float>::quiet_NaN();
      conv2d<float>(context, p, {x.data(), p.large}, w.data(), {nullptr, {Fused::Kind::elu, 1}, {}, {}},
                    {y.data(), p.small});
      CHECK(std::isnan(y[0]));
    }
}

TEST_CASE("kernels are found by name, and a wrong name is told") {
  const auto all = cpu::available_kernels();
  REQUIRE(!all.empty());
  CHECK(std::string(all.front()->name) == "portable");
  for (const cpu::Kernels* kernels : all) CHECK(cpu::kernels(kernels->name) == kernels);
  CHECK(cpu::best_kernels() == all.back());
  CHECK(Context<Cpu>({.threads = 1}).kernels() == all.back());  // what links nucdet::cpu has them without asking
  CHECK_THROWS_AS(cpu::kernels("fastest"), ArgumentError);
}
