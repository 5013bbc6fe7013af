#include <string>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;
using namespace nucdet::ops;

namespace {

/// Calls body(small pixel index, tap index, large pixel index) for every pair the kernel connects.
template <class Body>
void each_tap(const Conv2dProblem& p, Body&& body) {
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

double at(const std::vector<double>& v, Index i) { return v[static_cast<std::size_t>(i)]; }

/// Largest difference between a view and dense numbers, relative to the largest number.
template <class T>
double difference(View<const T> v, const std::vector<double>& wanted) {
  double worst = 0, scale = 1e-30;
  std::size_t i = 0;
  for (Index n = 0; n < v.shape.n; ++n)
    for (Index y = 0; y < v.shape.h; ++y)
      for (Index x = 0; x < v.shape.w; ++x)
        for (Index c = 0; c < v.shape.c; ++c, ++i) {
          worst = std::max(worst, std::abs(static_cast<double>(v(n, y, x, c)) - wanted[i]));
          scale = std::max(scale, std::abs(wanted[i]));
        }
  return worst / scale;
}

template <class T>
void check_against_loops(Context<Cpu>& context, const Conv2dProblem& p, double tolerance) {
  const Index ci = p.group_inputs(), co = p.small.c, taps = p.kernel.count();
  const auto x = random_numbers(p.large.count(), 1), dy = random_numbers(p.small.count(), 2),
             w = random_numbers(p.weights(), 3);
  const auto bias = random_numbers(std::max(p.large.c, co), 4);
  std::vector<double> y(dy.size()), dx(x.size()), dw(w.size());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = bias[i % static_cast<std::size_t>(co)];
  each_tap(p, [&](Index s, Index tap, Index l) {
    for (Index o = 0; o < co; ++o)
      for (Index c = 0; c < ci; ++c) {
        const Index weight = (o * taps + tap) * ci + c, in = l * p.large.c + o / p.group_outputs() * ci + c;
        y[static_cast<std::size_t>(s * co + o)] += at(w, weight) * at(x, in);
        dx[static_cast<std::size_t>(in)] += at(w, weight) * at(dy, s * co + o);
        dw[static_cast<std::size_t>(weight)] += at(x, in) * at(dy, s * co + o);
      }
  });
  Strided<T> tx(context, p.large, x), tdy(context, p.small, dy), ty(context, p.small, {}), tdx(context, p.large, {});
  const std::vector<T> weight(w.begin(), w.end()), b(bias.begin(), bias.end());
  std::vector<T> dweight(w.size());
  conv2d<T>(context, p, std::as_const(tx.part).template view<const T>(), weight.data(),
            {.bias = b.data(), .first = {}, .residual = {}, .last = {}}, ty.part.template view<T>());
  conv2d_data_gradient<T>(context, p, std::as_const(tdy.part).template view<const T>(), weight.data(), {},
                          tdx.part.template view<T>());
  conv2d_weight_gradient<T>(context, p, std::as_const(tx.part).template view<const T>(),
                            std::as_const(tdy.part).template view<const T>(), dweight.data());
  CHECK(difference<T>(std::as_const(ty.part).template view<const T>(), y) < tolerance);
  CHECK(difference<T>(std::as_const(tdx.part).template view<const T>(), dx) < tolerance);
  CHECK(difference<T>(View<const T>(dweight.data(), {1, 1, 1, p.weights()}), dw) < tolerance);
  // Nothing outside the slices was written.
  double outside = 0;
  const View<const T> all = std::as_const(ty.whole).template view<const T>();
  for (Index c : {Index{0}, Index{1}, all.shape.c - 1}) outside += std::abs(static_cast<double>(all(0, 1, 0, c)));
  CHECK(outside == 0);
}

std::vector<Conv2dProblem> awkward_problems() {
  std::vector<Conv2dProblem> problems;
  for (const Shape s : {Shape{1, 1, 1, 1}, Shape{2, 7, 5, 3}, Shape{1, 13, 1, 2}, Shape{2, 17, 31, 5}})
    for (const Index kernel : {1, 3, 5})
      for (const Index stride : {1, 2, 4}) {
        if (s.h >= stride && s.w >= stride) problems.push_back(same_convolution(s, 4, kernel, stride));
        problems.push_back(same_convolution(s, 1, kernel, stride, Rounding::ceil));
        problems.push_back(transposed_convolution(s, 3, kernel, stride, kernel / 2, stride > 1 ? 1 : 0));
      }
  problems.push_back(padded_convolution({1, 9, 8, 2}, 3, 4, 2, 1));
  problems.push_back(padded_convolution({1, 6, 7, 2}, 3, 3, 1, 0));
  problems.push_back(transposed_convolution({1, 3, 4, 2}, 3, 16, 8, 4, 0));
  problems.push_back(same_convolution({1, 40, 150, 9}, 7, 3, 1));  // several tiles down and across
  // Rectangles, gaps between the taps that share factors with the stride or not, groups, one filter a channel.
  problems.push_back(same_convolution({2, 9, 7, 3}, 4, {3, 1}, {1, 2}));
  problems.push_back(padded_convolution({1, 9, 8, 2}, 3, {1, 4}, {3, 1}, {0, 2}));
  for (const Index stride : {1, 2, 4})
    for (const Index dilation : {2, 3, 4}) {
      problems.push_back(same_convolution({1, 21, 18, 3}, 4, 3, stride, Rounding::floor, dilation));
      problems.push_back(padded_convolution({1, 21, 18, 3}, 4, {2, 3}, stride, 1, {dilation, 1}));
    }
  problems.push_back(same_convolution({1, 3, 3, 2}, 2, 5, 1, Rounding::floor, 7));  // all taps but one outside
  for (const Index stride : {1, 2}) {
    problems.push_back(grouped(same_convolution({2, 7, 5, 6}, 4, 3, stride), 2));
    problems.push_back(grouped(same_convolution({1, 7, 5, 3}, 6, 3, stride), 3));
    problems.push_back(grouped(same_convolution({1, 1, 1, 5}, 5, 3, 1), 5));
    problems.push_back(grouped(same_convolution({2, 17, 13, 19}, 19, 3, stride), 19));
    problems.push_back(grouped(same_convolution({1, 12, 15, 40}, 40, 5, stride, Rounding::ceil, 2), 40));
    problems.push_back(grouped(padded_convolution({1, 12, 15, 16}, 16, {1, 4}, stride, {0, 1}), 16));
  }
  return problems;
}

}  // namespace

TEST_CASE("convolution and its gradients agree with loops in double, on strided views") {
  Context<Cpu> context({.threads = 2});
  for (const Conv2dProblem& p : awkward_problems()) {
    CAPTURE(p.large, p.small, p.kernel, p.stride, p.pad, p.dilation, p.groups);
    check_against_loops<double>(context, p, 1e-12);
    check_against_loops<float>(context, p, 1e-5);
  }
}

TEST_CASE("convolution gives the same bits on one, two and five threads") {
  const Conv2dProblem p = same_convolution({2, 45, 140, 8}, 16, 3, 1);
  const auto x = random_numbers(p.large.count(), 1), dy = random_numbers(p.small.count(), 2),
             w = random_numbers(p.weights(), 3);
  const std::vector<float> xf(x.begin(), x.end()), dyf(dy.begin(), dy.end()), wf(w.begin(), w.end());
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    Context<Cpu> context({.threads = threads});
    std::vector<float> y(dy.size()), dx(x.size()), dw(w.size()), db(16);
    conv2d<float>(context, p, {xf.data(), p.large}, wf.data(), {}, {y.data(), p.small});
    conv2d_data_gradient<float>(context, p, {dyf.data(), p.small}, wf.data(), {}, {dx.data(), p.large});
    conv2d_weight_gradient<float>(context, p, {xf.data(), p.large}, {dyf.data(), p.small}, dw.data());
    bias_gradient<float>(context, {dyf.data(), p.small}, db.data());
    for (const auto* part : {&dx, &dw, &db}) y.insert(y.end(), part->begin(), part->end());
    results.push_back(std::move(y));
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("the epilogue is last(first(sum + bias) + residual)") {
  Context<Cpu> context({.threads = 1});
  const Conv2dProblem p = same_convolution({1, 3, 3, 1}, 1, 1, 1);
  const std::vector<double> x{-3, -2, -1, 0, 1, 2, 3, 4, 5}, residual{1, -1, 1, -1, 1, -1, 1, -1, -9};
  const double weight = 2, bias = 1;
  std::vector<double> y(9);
  const Epilogue<double> epilogue{
      &bias, {Fused::Kind::elu, 1.0f}, {residual.data(), p.small}, {Fused::Kind::leaky_relu, 0.5f}};
  conv2d<double>(context, p, {x.data(), p.large}, &weight, epilogue, {y.data(), p.small});
  for (std::size_t i = 0; i < 9; ++i) {
    const double sum = 2 * x[i] + 1, first = (sum > 0 ? sum : std::expm1(sum)) + residual[i];
    CHECK(y[i] == Approx(first > 0 ? first : 0.5 * first).margin(1e-12));
  }
}

TEST_CASE("convolutions agree with PyTorch's values") {
  const auto file = io::read_safetensors(NUCDET_TEST_DIR "/golden/ops.safetensors");
  Context<Cpu> context({.threads = 2});
  for (const std::string kind : {"conv", "tconv"}) {
    const int cases = std::stoi(file.metadata.at(kind));
    REQUIRE(cases > 5);
    for (int k = 0; k < cases; ++k) {
      const std::string name = kind + "/" + std::to_string(k);
      const std::string setting = file.metadata.at(name);
      CAPTURE(name, setting);
      const auto number = [&](const std::string& key) {
        const auto found = setting.find(key + "=");
        return found == std::string::npos ? Index{0}
                                          : static_cast<Index>(std::stol(setting.substr(found + key.size() + 1)));
      };
      const auto shape = [&](const std::string& which) {
        const auto& s = file.find(name + "/" + which)->shape;
        return Shape{s[0], s[1], s[2], s[3]};
      };
      const auto values = [&](const std::string& which) { return io::to_doubles(*file.find(name + "/" + which)); };
      const bool transposed = kind == "tconv";
      const Conv2dProblem p{transposed ? shape("y") : shape("x"), transposed ? shape("x") : shape("y"),
                            number("kernel"), number("stride"), transposed ? number("padding") : number("pad_before")};
      // PyTorch: [small, large, ky, kx] for both; here [small, ky, kx, large].
      const Index taps = p.kernel.count();
      const auto permute = [&](const std::vector<double>& w) {
        std::vector<double> out(w.size());
        for (Index o = 0; o < p.small.c; ++o)
          for (Index c = 0; c < p.large.c; ++c)
            for (Index t = 0; t < taps; ++t)
              out[static_cast<std::size_t>((o * taps + t) * p.large.c + c)] = at(w, (o * p.large.c + c) * taps + t);
        return out;
      };
      const auto x = values("x"), dy = values("dy"), w = permute(values("weight")), bias = values("bias");
      std::vector<double> y(dy.size()), dx(x.size()), dw(w.size()), db(bias.size());
      const View<const double> vx(x.data(), shape("x")), vdy(dy.data(), shape("y"));
      const Epilogue<double> with_bias{bias.data(), {}, {}, {}};
      if (transposed) {
        conv2d_data_gradient<double>(context, p, vx, w.data(), with_bias, {y.data(), shape("y")});
        conv2d<double>(context, p, vdy, w.data(), {}, {dx.data(), shape("x")});
        conv2d_weight_gradient<double>(context, p, vdy, vx, dw.data());
      } else {
        conv2d<double>(context, p, vx, w.data(), with_bias, {y.data(), shape("y")});
        conv2d_data_gradient<double>(context, p, vdy, w.data(), {}, {dx.data(), shape("x")});
        conv2d_weight_gradient<double>(context, p, vx, vdy, dw.data());
      }
      bias_gradient<double>(context, vdy, db.data());
      CHECK(difference<double>({y.data(), shape("y")}, values("y")) < 1e-12);
      CHECK(difference<double>({dx.data(), shape("x")}, values("dx")) < 1e-12);
      CHECK(difference<double>({dw.data(), {1, 1, 1, p.weights()}}, permute(values("dweight"))) < 1e-12);
      CHECK(difference<double>({db.data(), {1, 1, 1, static_cast<Index>(db.size())}}, values("dbias")) < 1e-12);
    }
  }
}

TEST_CASE("convolution sizes: floor, ceil, padded, transposed, and the errors") {
  const auto down = [](Index size, Rounding rounding) {
    return same_convolution({1, size, size, 1}, 1, 3, 2, rounding).small.h;
  };
  CHECK(down(75, Rounding::floor) == 37);
  CHECK(down(75, Rounding::ceil) == 38);
  CHECK(down(50, Rounding::floor) == 25);
  CHECK(down(50, Rounding::ceil) == 25);
  CHECK(transposed_convolution({1, 25, 25, 1}, 1, 3, 2, 1, 1).large.h == 50);
  CHECK(transposed_convolution({1, 25, 25, 1}, 1, 3, 8, 1, 1).large.h == 8 * 25 - 6);
  CHECK_THROWS_AS(same_convolution({1, 1, 9, 1}, 1, 3, 2), ShapeError);
  CHECK_THROWS_AS(padded_convolution({1, 2, 2, 1}, 1, 5, 1, 1), ShapeError);
  CHECK_THROWS_AS(padded_convolution({1, 4, 4, 1}, 1, 3, 1, 0, 2), ShapeError);
  CHECK_THROWS_AS(grouped(same_convolution({1, 4, 4, 6}, 4, 3, 1), 3), ShapeError);
  CHECK_THROWS_AS(grouped(same_convolution({1, 4, 4, 6}, 4, 3, 1), 0), ShapeError);
  CHECK(padded_convolution({1, 9, 8, 1}, 1, {3, 2}, {2, 1}, {1, 0}, {2, 3}).small == Shape{1, 4, 5, 1});
  Context<Cpu> context({.threads = 1});
  const Conv2dProblem p = same_convolution({1, 4, 4, 1}, 1, 3, 1);
  std::vector<float> wrong(25);
  CHECK_THROWS_AS(conv2d<float>(context, p, {wrong.data(), {1, 5, 5, 1}}, wrong.data(), {}, {wrong.data(), p.small}),
                  ShapeError);
}

TEST_CASE("a context's kernel table takes the place of the header's functions") {
  static int calls = 0;
  calls = 0;
  const cpu::Kernels table{
      "counting",
      [](Context<Cpu>&, const Conv2dProblem&, View<const float>, const float*, const Epilogue<float>&, View<float>) {
        ++calls;
      },
      [](Context<Cpu>&, const Conv2dProblem&, View<const float>, const float*, const Epilogue<float>&, View<float>) {
        calls += 10;
      },
      [](Context<Cpu>&, const Conv2dProblem&, View<const float>, View<const float>, float*) { calls += 100; }};
  Context<Cpu> context({.threads = 1, .kernels = &table});
  const Conv2dProblem p = same_convolution({1, 2, 2, 1}, 1, 3, 1);
  std::vector<float> x(9);
  conv2d<float>(context, p, {x.data(), p.large}, x.data(), {}, {x.data(), p.small});
  conv2d_data_gradient<float>(context, p, {x.data(), p.small}, x.data(), {}, {x.data(), p.large});
  conv2d_weight_gradient<float>(context, p, {x.data(), p.large}, {x.data(), p.small}, x.data());
  CHECK(calls == 111);
}
