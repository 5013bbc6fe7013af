// Pooling, up-sampling and size matching, forward and backward, against loops in double on strided views.
#include <cmath>

#include "nucdet/ops/add.hpp"
#include "nucdet/ops/match_size.hpp"
#include "nucdet/ops/pool.hpp"
#include "nucdet/ops/resize.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr Shape kSpatial[] = {{1, 1, 1, 1}, {2, 5, 7, 3}, {1, 13, 2, 1}, {3, 4, 11, 17}, {1, 31, 9, 2}, {2, 3, 37, 1}};

double at(const std::vector<double>& v, const Shape& s, Index n, Index y, Index x, Index c) {
  return v[static_cast<std::size_t>(((n * s.h + y) * s.w + x) * s.c + c)];
}

/// Calls wanted(n, y, x, c) for every element and compares.
template <class Wanted>
void compare(const std::vector<double>& found, const Shape& s, double tolerance, Wanted&& wanted) {
  std::size_t i = 0;
  double worst = 0;
  for (Index n = 0; n < s.n; ++n)
    for (Index y = 0; y < s.h; ++y)
      for (Index x = 0; x < s.w; ++x)
        for (Index c = 0; c < s.c; ++c) worst = std::max(worst, std::abs(found[i++] - wanted(n, y, x, c)));
  CHECK(worst <= tolerance);
}

/// Runs op(context, x, y) on strided views with one, two and five threads; the bits must agree.
template <class T, class Op>
std::vector<double> run(const Shape& in, const std::vector<double>& numbers, const Shape& out, Op&& op) {
  std::vector<double> first;
  for (const int threads : {1, 2, 5}) {
    Context<Cpu> context({.threads = threads});
    Strided<T> x(context, in, numbers), y(context, out, random_numbers(out.count(), 99));
    op(context, std::as_const(x.part).template view<const T>(), y.part.template view<T>());
    const auto found = numbers_of(std::as_const(y.part).template view<const T>());
    if (threads == 1) first = found;
    CHECK(found == first);
  }
  return first;
}

/// A linear op and its gradient are adjoint: <dy, A x> = <A' dy, x>, for every x and dy.
template <class Op, class Gradient>
void check_adjoint(const Shape& in, const Shape& out, Op&& op, Gradient&& gradient) {
  const auto x = random_numbers(in.count(), 1), dy = random_numbers(out.count(), 2);
  const double forward = dot(dy, run<double>(in, x, out, op)), backward = dot(x, run<double>(out, dy, in, gradient));
  CHECK(forward == Approx(backward).epsilon(1e-12).margin(1e-12));
}

Shape pooled(const Shape& s, Index window, Index stride) {
  return {s.n, (s.h - window) / stride + 1, (s.w - window) / stride + 1, s.c};
}

}  // namespace

TEST_CASE("pooling: maximum and mean of every window") {
  for (const Shape& s : kSpatial)
    for (const auto& [window, stride] : {std::pair<Index, Index>{1, 1}, {2, 2}, {3, 2}, {2, 3}}) {
      if (s.h < window || s.w < window) continue;
      const Index k = window, step = stride;
      const Shape out = pooled(s, k, step);
      const auto x = random_numbers(s.count(), 3);
      const auto window_of = [&](Index n, Index i, Index j, Index c, auto&& fold, double start) {
        for (Index y = i * step; y < i * step + k; ++y)
          for (Index q = j * step; q < j * step + k; ++q) start = fold(start, at(x, s, n, y, q, c));
        return start;
      };
      const auto maximum = run<double>(
          s, x, out, [&](auto& context, auto in, auto y) { ops::max_pool<double>(context, in, k, step, y); });
      compare(maximum, out, 0, [&](Index n, Index i, Index j, Index c) {
        return window_of(
            n, i, j, c, [](double a, double b) { return std::max(a, b); }, -9.0);
      });
      const auto mean = run<float>(
          s, x, out, [&](auto& context, auto in, auto y) { ops::average_pool<float>(context, in, k, step, y); });
      compare(mean, out, 1e-6, [&](Index n, Index i, Index j, Index c) {
        return window_of(
                   n, i, j, c, [](double a, double b) { return a + b; }, 0.0) /
               static_cast<double>(k * k);
      });
      check_adjoint(
          s, out, [&](auto& context, auto in, auto y) { ops::average_pool<double>(context, in, k, step, y); },
          [&](auto& context, auto dy, auto dx) { ops::average_pool_gradient<double>(context, dy, k, step, dx); });
    }
}

TEST_CASE("max pooling: the first of equal maxima gets the slope, and NaN comes through") {
  Context<Cpu> context({.threads = 1});
  auto x = context.zeros({1, 4, 4, 1}, DType::f64), y = context.make({1, 2, 2, 1}, DType::f64);
  auto dy = context.make({1, 2, 2, 1}, DType::f64), dx = context.make({1, 4, 4, 1}, DType::f64);
  x.view<double>()(0, 0, 3, 0) = 2, x.view<double>()(0, 3, 0, 0) = NAN;
  ops::fill<double>(context, 1.0, dy.view<double>());
  const auto in = std::as_const(x).view<const double>();
  ops::max_pool<double>(context, in, 2, 2, y.view<double>());
  CHECK(y.view<double>()(0, 0, 1, 0) == 2);
  CHECK(std::isnan(y.view<double>()(0, 1, 0, 0)));
  ops::max_pool_gradient<double>(context, in, std::as_const(y).view<const double>(),
                                 std::as_const(dy).view<const double>(), 2, 2, dx.view<double>());
  std::vector<double> wanted(16, 0.0);
  wanted[0] = wanted[3] = wanted[10] = 1;  // the NaN window has no maximum, so nobody gets its slope
  CHECK(numbers_of(std::as_const(dx).view<const double>()) == wanted);
}

TEST_CASE("up-sampling: nearest repeats pixels, bilinear follows its formula") {
  for (const Shape& s : kSpatial)
    for (const Index factor : {1, 2, 3, 8}) {
      const Shape out{s.n, s.h * factor, s.w * factor, s.c};
      const auto x = random_numbers(s.count(), 4);
      const auto nearest = [&](auto& context, auto in, auto y) {
        ops::upsample_nearest<double>(context, in, factor, y);
      };
      const auto bilinear = [&](auto& context, auto in, auto y) {
        ops::upsample_bilinear<double>(context, in, factor, y);
      };
      compare(run<double>(s, x, out, nearest), out, 0,
              [&](Index n, Index i, Index j, Index c) { return at(x, s, n, i / factor, j / factor, c); });
      compare(run<double>(s, x, out, bilinear), out, 1e-14, [&](Index n, Index i, Index j, Index c) {
        const auto place = [&](Index u, Index size) {
          const double v = (static_cast<double>(u) + 0.5) / static_cast<double>(factor) - 0.5;
          return std::clamp(v, 0.0, static_cast<double>(size - 1));
        };
        const double v = place(i, s.h), u = place(j, s.w), fy = std::floor(v), fx = std::floor(u);
        const Index y0 = static_cast<Index>(fy), x0 = static_cast<Index>(fx);
        const Index y1 = std::min(y0 + 1, s.h - 1), x1 = std::min(x0 + 1, s.w - 1);
        return (1 - v + fy) * ((1 - u + fx) * at(x, s, n, y0, x0, c) + (u - fx) * at(x, s, n, y0, x1, c)) +
               (v - fy) * ((1 - u + fx) * at(x, s, n, y1, x0, c) + (u - fx) * at(x, s, n, y1, x1, c));
      });
      check_adjoint(s, out, nearest, [&](auto& context, auto dy, auto dx) {
        ops::upsample_nearest_gradient<double>(context, dy, factor, dx);
      });
      check_adjoint(s, out, bilinear, [&](auto& context, auto dy, auto dx) {
        ops::upsample_bilinear_gradient<double>(context, dy, factor, dx);
      });
    }
}

TEST_CASE("size matching: centred, zeros around or cut off, each axis by itself") {
  const auto match = [](auto& context, auto in, auto y) { ops::match_size<double>(context, in, y); };
  for (const auto& [in, out] : {std::pair<Shape, Shape>{{1, 3, 3, 2}, {1, 6, 4, 2}},
                                {{2, 7, 5, 1}, {2, 4, 9, 1}},
                                {{1, 5, 5, 3}, {1, 5, 5, 3}},
                                {{1, 1, 9, 1}, {1, 2, 1, 1}}}) {
    const Shape from = in, to = out;
    const auto x = random_numbers(from.count(), 5);
    const auto before = [](Index a, Index b) { return b >= a ? (b - a) / 2 : -((a - b) / 2); };
    compare(run<double>(from, x, to, match), to, 0, [&](Index n, Index i, Index j, Index c) {
      const Index y = i - before(from.h, to.h), q = j - before(from.w, to.w);
      return y >= 0 && q >= 0 && y < from.h && q < from.w ? at(x, from, n, y, q, c) : 0.0;
    });
    check_adjoint(from, to, match, match);
  }
}

TEST_CASE("sizes that do not fit are refused") {
  Context<Cpu> context({.threads = 1});
  const auto x = context.zeros({1, 4, 4, 2});
  auto y = context.zeros({1, 3, 2, 2});
  const auto in = x.view<const float>();
  CHECK_THROWS_AS(ops::max_pool<float>(context, in, 2, 2, y.view<float>()), ShapeError);
  CHECK_THROWS_AS(ops::average_pool<float>(context, in, 0, 2, y.view<float>()), ArgumentError);
  CHECK_THROWS_AS(ops::average_pool<float>(context, in, 5, 1, y.view<float>()), ShapeError);
  CHECK_THROWS_AS(ops::upsample_nearest<float>(context, in, 2, y.view<float>()), ShapeError);
  CHECK_THROWS_AS(ops::upsample_bilinear<float>(context, in, 0, y.view<float>()), ArgumentError);
  CHECK_THROWS_AS(ops::match_size<float>(context, in, y.view<float>().channels(0, 1)), ShapeError);
}
