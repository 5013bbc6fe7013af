// Ops on a CUDA device against the CPU: f32 within rounding, 16-bit types within theirs.
#include <functional>

#include "nucdet/ops/activation.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/convert.hpp"
#include "nucdet/ops/dropout.hpp"
#include "nucdet/ops/global_pool.hpp"
#include "nucdet/ops/layer_norm.hpp"
#include "nucdet/ops/multiply.hpp"
#include "nucdet/ops/norm.hpp"
#include "nucdet/ops/pixel_shuffle.hpp"
#include "nucdet/ops/pool.hpp"
#include "nucdet/ops/resize.hpp"

#include "cuda/support/device_arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr Shape kShapes[] = {{1, 2, 2, 1}, {2, 6, 8, 3}, {1, 12, 10, 16}};

/// Runs body(context, T{}, x, dy, out) on both devices, on the same rounded numbers, and compares what it wrote.
/// f32 within `bound`; 16-bit results within two units of their last place.
template <class Body>
void compare(const Shape& in, const Shape& out, double bound, const Body& body) {
  Context<Cuda> gpu;
  Context<Cpu> cpu({.threads = 1});
  const auto a = random_numbers(in.count(), 1), b = random_numbers(out.count(), 2);
  const auto rounded = [](const std::vector<double>& v, auto type) {
    std::vector<double> r;
    for (const double n : v)
      r.push_back(static_cast<double>(static_cast<float>(static_cast<decltype(type)>(static_cast<float>(n)))));
    return r;
  };
  const auto check = [&](auto type, double allowed) {
    using T = decltype(type);
    const auto x = rounded(a, type), dy = rounded(b, type);
    auto y = gpu.make(out, dtype_of<T>);
    body(gpu, type, on_device<T>(gpu, in, x), on_device<T>(gpu, out, dy), y);
    auto wanted = cpu.make(out);
    body(cpu, 0.0f, on_device<float>(cpu, in, x), on_device<float>(cpu, out, dy), wanted);
    CHECK(difference(numbers_of(gpu, y), numbers_of(cpu, wanted)) < allowed);
  };
  check(0.0f, bound), check(bf16(), 8e-3), check(f16(), 1e-3);
}

template <class F>
void check_activation(const F& f) {
  for (const Shape& s : kShapes) {
    compare(s, s, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::activate<T>(context, f, x.template view<const T>(), y.template view<T>());
    });
    compare(s, s, kElementwise, [&](auto& context, auto type, const auto& x, const auto& dy, auto& y) {
      using T = decltype(type);
      ops::activate_gradient<T>(context, f, x.template view<const T>(), dy.template view<const T>(),
                                y.template view<T>());
    });
    compare(s, s, kElementwise, [&](auto& context, auto type, const auto& x, const auto& dy, auto& y) {
      using T = decltype(type);
      ops::add_activate<T>(context, f, x.template view<const T>(), dy.template view<const T>(), y.template view<T>());
    });
  }
}

}  // namespace

TEST_CASE("cuda: activations, alone and after a sum") {
  check_activation(ops::Elu{}), check_activation(ops::Relu{}), check_activation(ops::LeakyRelu{0.2f});
  check_activation(ops::Sigmoid{}), check_activation(ops::ScaledSigmoid{5}), check_activation(ops::Scale{0.3f});
  check_activation(ops::Gelu{}), check_activation(ops::Silu{});
}

TEST_CASE("cuda: pooling and up-sampling, forward and backward") {
  for (const Shape& s : kShapes) {
    const Shape half{s.n, s.h / 2, s.w / 2, s.c}, twice{s.n, 2 * s.h, 2 * s.w, s.c};
    const auto pool = [&](auto op) {
      compare(s, half, kElementwise,
              [&](auto& context, auto type, const auto& x, const auto&, auto& y) { op(context, type, x, y); });
    };
    pool([](auto& context, auto type, const auto& x, auto& y) {
      using T = decltype(type);
      ops::max_pool<T>(context, x.template view<const T>(), 2, 2, y.template view<T>());
    });
    pool([](auto& context, auto type, const auto& x, auto& y) {
      using T = decltype(type);
      ops::average_pool<T>(context, x.template view<const T>(), 2, 2, y.template view<T>());
    });
    pool([](auto& context, auto type, const auto& x, auto& y) {
      using T = decltype(type);
      ops::upsample_bilinear_gradient<T>(context, x.template view<const T>(), 2, y.template view<T>());
    });
    pool([](auto& context, auto type, const auto& x, auto& y) {
      using T = decltype(type);
      ops::upsample_nearest_gradient<T>(context, x.template view<const T>(), 2, y.template view<T>());
    });
    compare(s, twice, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::upsample_bilinear<T>(context, x.template view<const T>(), 2, y.template view<T>());
    });
    compare(s, twice, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::upsample_nearest<T>(context, x.template view<const T>(), 2, y.template view<T>());
    });
    compare(half, s, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::average_pool_gradient<T>(context, x.template view<const T>(), 2, 2, y.template view<T>());
    });
    // The input of a pooling, drawn again as `dy`, makes the maxima; the slopes come in as x.
    compare(half, s, kElementwise, [&](auto& context, auto type, const auto& slopes, const auto& x, auto& y) {
      using T = decltype(type);
      auto pooled = context.make(half, dtype_of<T>);
      ops::max_pool<T>(context, x.template view<const T>(), 2, 2, pooled.template view<T>());
      ops::max_pool_gradient<T>(context, x.template view<const T>(), std::as_const(pooled).template view<const T>(),
                                slopes.template view<const T>(), 2, 2, y.template view<T>());
    });
  }
}

TEST_CASE("cuda: gates, global pooling, pixel shuffle and element dropout, forward and backward") {
  for (const Shape& s : {Shape{2, 6, 8, 3}, {1, 12, 10, 16}}) {
    const Shape one{s.n, 1, 1, s.c};
    for (const Shape& gate : {s, Shape{s.n, s.h, s.w, 1}, one, Shape{s.n, 1, 1, 1}}) {
      compare(s, gate, kReduction, [&](auto& context, auto type, const auto& a, const auto&, auto& dgate) {
        using T = decltype(type);
        ops::multiply_gate_gradient<T>(context, a.template view<const T>(), a.template view<const T>(),
                                       dgate.template view<T>());
      });
      compare(gate, s, kElementwise, [&](auto& context, auto type, const auto& g, const auto& a, auto& y) {
        using T = decltype(type);
        ops::multiply<T>(context, a.template view<const T>(), g.template view<const T>(), y.template view<T>());
      });
    }
    compare(s, one, kReduction, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::global_average<T>(context, x.template view<const T>(), y.template view<T>());
    });
    compare(s, one, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::global_maximum<T>(context, x.template view<const T>(), y.template view<T>());
    });
    compare(one, s, kElementwise, [&](auto& context, auto type, const auto& dy, const auto&, auto& dx) {
      using T = decltype(type);
      ops::global_average_gradient<T>(context, dy.template view<const T>(), dx.template view<T>());
    });
    compare(one, s, kElementwise, [&](auto& context, auto type, const auto& dy, const auto& x, auto& dx) {
      using T = decltype(type);
      auto most = context.make(one, dtype_of<T>);
      ops::global_maximum<T>(context, x.template view<const T>(), most.template view<T>());
      ops::global_maximum_gradient<T>(context, x.template view<const T>(), std::as_const(most).template view<const T>(),
                                      dy.template view<const T>(), dx.template view<T>());
    });
    const Shape small{s.n, s.h / 2, s.w / 2, 4 * s.c};
    compare(small, s, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::pixel_shuffle<T>(context, x.template view<const T>(), 2, y.template view<T>());
    });
    compare(s, small, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::pixel_unshuffle<T>(context, x.template view<const T>(), 2, y.template view<T>());
    });
    compare(s, s, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
      using T = decltype(type);
      ops::dropout<T>(context, x.template view<const T>(), 0.3f, {7, 3}, y.template view<T>());
    });
  }
}

TEST_CASE("cuda: layer norm and group norm, forward and backward") {
  for (const Shape& s : {Shape{2, 6, 8, 6}, {1, 12, 10, 16}}) {
    const auto arrays_for = [&](auto& context) {
      using D = std::conditional_t<std::is_same_v<decltype(context), Context<Cuda>&>, Cuda, Cpu>;
      const std::vector<float> start(static_cast<std::size_t>(2 * s.count() + 4 * s.c), 0.7f);
      return DeviceArray<float, D>(context, start.data(), start.size());
    };
    const auto with = [&](bool group) {
      const auto run = [&](auto& context, auto type, const auto& x, const auto& dy, auto& y, bool backward) {
        using T = decltype(type);
        auto arrays = arrays_for(context);
        float *const gamma = arrays.data(), *const slopes = gamma + 2 * s.c, *const mean = slopes + 2 * s.c,
                     *const inverse = mean + s.count();
        const auto in = x.template view<const T>();
        const auto out = y.template view<T>();
        if (group) {
          ops::group_statistics<T>(context, in, 2, 1e-5, mean, inverse);
          if (backward)
            ops::normalize_gradient<T>(context, in, dy.template view<const T>(), s.n, mean, inverse, gamma, gamma + s.c,
                                       true, out, slopes, slopes + s.c, ops::Same{}, 2);
          else
            ops::normalize<T>(context, in, s.n, mean, inverse, gamma, gamma + s.c, out);
        } else {
          ops::layer_norm<T>(context, in, 1e-5, gamma, gamma + s.c, mean, inverse, out);
          if (backward)
            ops::layer_norm_gradient<T>(context, in, dy.template view<const T>(), mean, inverse, gamma, out, slopes,
                                        slopes + s.c);
        }
      };
      for (const bool backward : {false, true})
        compare(s, s, kReduction, [&](auto& context, auto type, const auto& x, const auto& dy, auto& y) {
          run(context, type, x, dy, y, backward);
        });
    };
    with(false), with(true);
  }
}

TEST_CASE("cuda: channel dropout drops what the CPU drops, also with a number from the device's memory") {
  const Shape s{4, 3, 5, 32};
  const Philox random{42, (std::uint64_t{7} << 16) + 3};
  compare(s, s, kElementwise, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
    using T = decltype(type);
    ops::channel_dropout<T>(context, x.template view<const T>(), 0.5f, random, y.template view<T>());
  });
  Context<Cuda> gpu;
  const auto x = on_device<float>(gpu, s, std::vector<double>(static_cast<std::size_t>(s.count()), 1.0));
  auto y = gpu.make(s), with_offset = gpu.make(s);
  ops::channel_dropout<float>(gpu, x.view<const float>(), 0.5f, random, y.view<float>());
  const std::uint64_t offset = std::uint64_t{7} << 16;
  const DeviceArray<std::uint64_t, Cuda> number(gpu, &offset, 1);
  ops::channel_dropout<float>(gpu, x.view<const float>(), 0.5f, {42, 3}, with_offset.view<float>(), number.data());
  CHECK(numbers_of(gpu, y) == numbers_of(gpu, with_offset));
}

TEST_CASE("cuda: normalisation with an activation, forward and backward") {
  for (const Shape& s : {Shape{2, 6, 8, 3}, {2, 12, 10, 16}}) {
    const auto with = [&](Index groups, bool through, const auto& f) {
      const auto statistics = [&](auto& context, auto type, const auto& x, auto& arrays) {
        using T = decltype(type);
        float* const p = arrays.data();
        ops::norm_statistics<T>(context, x.template view<const T>(), groups, 1e-5, p, p + groups * s.c,
                                static_cast<float*>(nullptr));
        return p;
      };
      const auto arrays_for = [&](auto& context) {
        using D = std::conditional_t<std::is_same_v<decltype(context), Context<Cuda>&>, Cuda, Cpu>;
        const std::vector<float> start(static_cast<std::size_t>((2 * groups + 4) * s.c), 0.7f);
        return DeviceArray<float, D>(context, start.data(), start.size());
      };
      compare(s, s, kReduction, [&](auto& context, auto type, const auto& x, const auto&, auto& y) {
        using T = decltype(type);
        auto arrays = arrays_for(context);
        const float* const p = statistics(context, type, x, arrays);
        const float* const gamma = p + 2 * groups * s.c;
        ops::normalize<T>(context, x.template view<const T>(), groups, p, p + groups * s.c, gamma, gamma,
                          y.template view<T>(), f);
      });
      compare(s, s, kReduction, [&](auto& context, auto type, const auto& x, const auto& dy, auto& dx) {
        using T = decltype(type);
        auto arrays = arrays_for(context);
        float* const p = statistics(context, type, x, arrays);
        float* const gamma = p + 2 * groups * s.c;
        ops::normalize_gradient<T>(context, x.template view<const T>(), dy.template view<const T>(), groups, p,
                                   p + groups * s.c, gamma, gamma, through, dx.template view<T>(), gamma + 2 * s.c,
                                   gamma + 3 * s.c, f);
      });
    };
    with(1, true, ops::Same{}), with(s.n, true, ops::Same{}), with(1, false, ops::Same{});
    with(1, true, ops::Elu{}), with(1, false, ops::Elu{});
    with(1, true, ops::Gelu{}), with(1, false, ops::Silu{});
  }
}

TEST_CASE("16-bit numbers: rounding to nearest even, ends of the range, and back") {
  const auto bf = [](float v) { return static_cast<float>(bf16(v)); };
  const auto half = [](float v) { return static_cast<float>(f16(v)); };
  CHECK(bf(1.0f) == 1.0f);
  CHECK(bf(1.00390625f) == 1.0f);       // a tie: 1 + 2^-8 goes to the even 1
  CHECK(bf(1.01171875f) == 1.015625f);  // 1 + 3 2^-8 to the even 1 + 2^-6
  CHECK(bf(3.4e38f) == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(bf(NAN)));
  CHECK(half(65504.0f) == 65504.0f);
  CHECK(half(65519.0f) == 65504.0f);
  CHECK(half(65520.0f) == std::numeric_limits<float>::infinity());
  CHECK(half(0x1p-24f) == 0x1p-24f);
  CHECK(half(0x1p-26f) == 0.0f);
  CHECK(half(-0x1.8p-25f) == -0x1p-24f);
  CHECK(std::isnan(half(NAN)));
  for (unsigned bits = 0; bits < 0x7C00u; ++bits) {
    f16 value;
    value.bits = static_cast<std::uint16_t>(bits);
    const float f = static_cast<float>(value);
    if (f16(f).bits != bits) FAIL("f16 " << bits << " comes back as " << f16(f).bits);
    f16 next;
    next.bits = static_cast<std::uint16_t>(bits + 1);
    const double middle = 0.5 * (static_cast<double>(f) + static_cast<double>(static_cast<float>(next)));
    if (bits < 0x7BFFu && f16(static_cast<float>(middle)).bits != (bits + 1) / 2 * 2)
      FAIL("f16: the tie above " << bits << " goes to " << f16(static_cast<float>(middle)).bits);
  }
  Context<Cuda> gpu;
  std::vector<double> numbers;
  for (int k = 0; k < 4000; ++k) numbers.push_back(std::pow(1.01, k - 2000) * (k % 2 == 0 ? 1 : -1));
  const auto x = on_device<float>(gpu, {1, 1, 1, 4000}, numbers);
  auto b = gpu.make(x.shape(), DType::bf16), h = gpu.make(x.shape(), DType::f16);
  ops::convert<float, bf16>(gpu, x.view<const float>(), b.view<bf16>());
  ops::convert<float, f16>(gpu, x.view<const float>(), h.view<f16>());
  const auto found_b = numbers_of(gpu, b), found_h = numbers_of(gpu, h);
  bool same = true;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    same = same && found_b[i] == static_cast<double>(bf(static_cast<float>(numbers[i]))) &&
           found_h[i] == static_cast<double>(half(static_cast<float>(numbers[i])));
  CHECK(same);
}
