// The three passes of a convolution on a CUDA device, by cuDNN and as plain sums, against the CPU.
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/conv2d.hpp"

#include "cuda/support/device_arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;
using ops::Conv2dProblem;

namespace {

std::vector<Conv2dProblem> problems() {
  using ops::Rounding;
  return {ops::same_convolution({1, 1, 1, 1}, 1, 1, 1),
          ops::same_convolution({2, 7, 9, 3}, 8, 3, 1),
          ops::same_convolution({1, 9, 7, 8}, 16, 3, 2),
          ops::same_convolution({1, 9, 7, 8}, 4, 3, 2, Rounding::ceil),
          ops::same_convolution({1, 5, 5, 4}, 4, 1, 2),
          ops::same_convolution({1, 8, 8, 12}, 5, 5, 1),
          ops::same_convolution({2, 6, 5, 16}, 1, 1, 1),
          ops::padded_convolution({1, 8, 9, 2}, 3, 4, 3, 0),
          ops::transposed_convolution({1, 3, 4, 8}, 4, 3, 2, 1, 1),
          ops::transposed_convolution({1, 3, 2, 6}, 3, 3, 8, 1, 1),
          ops::transposed_convolution({1, 3, 2, 4}, 8, 8, 4, 2, 0),
          ops::same_convolution({1, 9, 7, 8}, 4, {3, 1}, {1, 2}),
          ops::same_convolution({1, 9, 11, 3}, 8, 3, 1, Rounding::floor, 2),
          ops::padded_convolution({1, 9, 11, 8}, 8, 3, 2, 1, {2, 3}),
          ops::grouped(ops::same_convolution({2, 6, 7, 8}, 12, 3, 1), 4),
          ops::grouped(ops::same_convolution({2, 9, 7, 12}, 12, 3, 1), 12),
          ops::grouped(ops::same_convolution({1, 9, 7, 5}, 5, 5, 2, Rounding::ceil, 2), 5)};
}

Index weights(const Conv2dProblem& p) { return p.weights(); }

struct Numbers {
  std::vector<double> forward, data, weight;
};

/// All three passes, with an epilogue that uses everything: forward into a slice of a wider map.
template <class T, class D>
Numbers passes(Context<D>& context, const Conv2dProblem& p) {
  using C = compute_t<T>;
  const auto large = on_device<T>(context, p.large, random_numbers(p.large.count(), 1));
  const auto small = on_device<T>(context, p.small, random_numbers(p.small.count(), 2));
  const auto weight = on_device<T>(context, {1, 1, 1, weights(p)}, random_numbers(weights(p), 3));
  const auto bias = on_device<C>(context, {1, 1, 1, std::max(p.small.c, p.large.c)},
                                 random_numbers(std::max(p.small.c, p.large.c), 4));
  const ops::Fused elu{ops::Fused::Kind::elu, 1}, leaky{ops::Fused::Kind::leaky_relu, 0.1f};
  const auto run = [&](const Shape& out, const auto& pass) {
    Tensor<D> whole = context.zeros({out.n, out.h, out.w, out.c + 8}, dtype_of<T>);
    Tensor<D> part = whole.channels(8, out.c);
    const auto residual = on_device<T>(context, out, random_numbers(out.count(), 5));
    pass(ops::Epilogue<T>{bias.template view<const C>().data, elu, residual.template view<const T>(), leaky},
         part.template view<T>());
    Tensor<D> dense = context.make(out, dtype_of<T>);
    ops::copy<T>(context, std::as_const(part).template view<const T>(), dense.template view<T>());
    return numbers_of(context, dense);
  };
  Numbers numbers;
  const T* const w = weight.template view<const T>().data;
  numbers.forward = run(p.small, [&](const auto& epilogue, View<T> y) {
    ops::conv2d<T>(context, p, large.template view<const T>(), w, epilogue, y);
  });
  numbers.data = run(p.large, [&](const auto& epilogue, View<T> dx) {
    ops::conv2d_data_gradient<T>(context, p, small.template view<const T>(), w, epilogue, dx);
  });
  Tensor<D> dw =
      on_device<C>(context, {1, 1, 1, weights(p)}, std::vector<double>(static_cast<std::size_t>(weights(p)), 1));
  ops::conv2d_weight_gradient<T>(context, p, large.template view<const T>(), small.template view<const T>(),
                                 dw.template view<C>().data);
  numbers.weight = numbers_of(context, dw);
  return numbers;
}

void compare(const Numbers& found, const Numbers& wanted, double bound) {
  CHECK(difference(found.forward, wanted.forward) < bound);
  CHECK(difference(found.data, wanted.data) < bound);
  CHECK(difference(found.weight, wanted.weight) < bound);
}

}  // namespace

TEST_CASE("cuda: convolutions in f32 by plain sums and by cuDNN are the CPU's") {
  Context<Cpu> cpu({.threads = 1});
  Context<Cuda> plain({.cudnn = false}), strict, measured({.measure = true});
  for (const Conv2dProblem& p : problems()) {
    INFO("large " << p.large << ", small " << p.small << ", kernel " << p.kernel << ", stride " << p.stride);
    const Numbers wanted = passes<float>(cpu, p);
    compare(passes<float>(plain, p), wanted, kReduction);
    compare(passes<float>(strict, p), wanted, kConvolution);
    compare(passes<float>(measured, p), wanted, kConvolution);
  }
  CHECK(plain.convolution_log().size() == 1);
  CHECK(!strict.convolution_log().empty());
}

TEST_CASE("cuda: convolutions in tf32, bf16 and f16, few channels padded to eight") {
  Context<Cpu> cpu({.threads = 1});
  Context<Cuda> tf32({.precision = Precision::tf32}), halves({.precision = Precision::bf16}),
      plain({.precision = Precision::bf16, .cudnn = false});
  for (const Conv2dProblem& p : problems()) {
    INFO("large " << p.large << ", small " << p.small << ", kernel " << p.kernel << ", stride " << p.stride);
    const Numbers wanted = passes<float>(cpu, p);
    compare(passes<float>(tf32, p), wanted, 2e-3);
    compare(passes<bf16>(halves, p), wanted, kHalf);
    compare(passes<bf16>(plain, p), wanted, kHalf);
    compare(passes<f16>(halves, p), wanted, 4e-3);
  }
}

TEST_CASE("cuda: the bias gradient, and a problem that does not fit its views") {
  Context<Cpu> cpu({.threads = 1});
  Context<Cuda> gpu;
  const Shape s{2, 30, 20, 5};
  const auto numbers = random_numbers(s.count(), 1);
  const auto run = [&](auto& context) {
    const auto dy = on_device<float>(context, s, numbers);
    auto db = on_device<float>(context, {1, 1, 1, 5}, {1, 2, 3, 4, 5});
    ops::bias_gradient<float>(context, dy.template view<const float>(), db.template view<float>().data);
    return numbers_of(context, db);
  };
  CHECK(difference(run(gpu), run(cpu)) < kReduction);
  const auto p = ops::same_convolution({1, 4, 4, 2}, 3, 3, 1);
  auto y = gpu.make({1, 4, 3, 3});
  const auto x = gpu.make({1, 4, 4, 2});
  CHECK_THROWS_AS(ops::conv2d<float>(gpu, p, x.view<const float>(), nullptr, {}, y.view<float>()), ShapeError);
}
