// Products with gates, global pooling, pixel shuffle, layer and group norm, and element dropout against plain loops, on
// strided views and for any number of threads.
#include <cmath>
#include <functional>
#include <limits>

#include "nucdet/ops/dropout.hpp"
#include "nucdet/ops/global_pool.hpp"
#include "nucdet/ops/layer_norm.hpp"
#include "nucdet/ops/multiply.hpp"
#include "nucdet/ops/norm.hpp"
#include "nucdet/ops/pixel_shuffle.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

using Element = std::function<double(Index n, Index y, Index x, Index c)>;

template <class T>
double difference(const Strided<T>& found, const Element& wanted) {
  const auto v = found.part.template view<const T>();
  double worst = 0;
  for (Index n = 0; n < v.shape.n; ++n)
    for (Index y = 0; y < v.shape.h; ++y)
      for (Index x = 0; x < v.shape.w; ++x)
        for (Index c = 0; c < v.shape.c; ++c)
          worst = std::max(worst, std::abs(static_cast<double>(v(n, y, x, c)) - wanted(n, y, x, c)));
  return worst;
}
template <class T>
View<const T> read(const Strided<T>& s) {
  return s.part.template view<const T>();
}

constexpr Shape kGated[] = {{1, 1, 1, 1}, {2, 5, 7, 3}, {1, 13, 40, 17}};

template <class T>
void check_multiply(double tolerance) {
  for (const Shape& s : kGated)
    for (const Shape& g : {s, Shape{s.n, s.h, s.w, 1}, Shape{s.n, 1, 1, s.c}, Shape{s.n, 1, 1, 1}})
      for (const int threads : {1, 3}) {
        CAPTURE(s, g, threads);
        Context<Cpu> context({.threads = threads});
        Strided<T> a(context, s, random_numbers(s.count(), 1)), gate(context, g, random_numbers(g.count(), 2)),
            dy(context, s, random_numbers(s.count(), 3)), y(context, s, {}), dgate(context, g, {});
        const auto at = [](const Strided<T>& m, Index n, Index h, Index w, Index c) {
          const auto v = read(m);
          return static_cast<double>(v(n, v.shape.h == 1 ? 0 : h, v.shape.w == 1 ? 0 : w, v.shape.c == 1 ? 0 : c));
        };
        ops::multiply<T>(context, read(a), read(gate), y.part.template view<T>());
        CHECK(difference(y, [&](Index n, Index h, Index w, Index c) {
                return at(a, n, h, w, c) * at(gate, n, h, w, c);
              }) < tolerance);
        ops::multiply_gate_gradient<T>(context, read(a), read(dy), dgate.part.template view<T>());
        CHECK(difference(dgate, [&](Index n, Index h, Index w, Index c) {
                double sum = 0;
                for (Index i = 0; i < s.h; ++i)
                  for (Index j = 0; j < s.w; ++j)
                    for (Index k = 0; k < s.c; ++k)
                      if ((g.h == 1 || i == h) && (g.w == 1 || j == w) && (g.c == 1 || k == c))
                        sum += at(a, n, i, j, k) * at(dy, n, i, j, k);
                return sum;
              }) < 200 * tolerance);
      }
}

}  // namespace

TEST_CASE("products with gates of every shape, and their gradients") {
  check_multiply<double>(1e-14);
  check_multiply<float>(3e-7);
  Context<Cpu> context({.threads = 1});
  Strided<float> a(context, {1, 4, 4, 3}, {}), gate(context, {1, 2, 4, 3}, {});
  CHECK_THROWS_AS(ops::multiply<float>(context, read(a), read(gate), a.part.view<float>()), ShapeError);
}

TEST_CASE("global pooling: means, maxima, the first of equal ones, NaN") {
  for (const Shape& s : kGated) {
    CAPTURE(s);
    Context<Cpu> context({.threads = 2});
    const Shape one{s.n, 1, 1, s.c};
    Strided<double> x(context, s, random_numbers(s.count(), 1)), mean(context, one, {}), most(context, one, {}),
        dy(context, one, random_numbers(one.count(), 2)), dx(context, s, {});
    if (s.count() > 1) x.part.view<double>()(0, 0, 0, 0) = x.part.view<double>()(0, s.h - 1, s.w - 1, 0) = 3;  // equal
    ops::global_average<double>(context, read(x), mean.part.view<double>());
    ops::global_maximum<double>(context, read(x), most.part.view<double>());
    const auto over = [&](Index n, Index c, const auto& add) {
      for (Index i = 0; i < s.h; ++i)
        for (Index j = 0; j < s.w; ++j) add(read(x)(n, i, j, c), i * s.w + j);
    };
    CHECK(difference(mean, [&](Index n, Index, Index, Index c) {
            double sum = 0;
            over(n, c, [&](double v, Index) { sum += v; });
            return sum / static_cast<double>(s.h * s.w);
          }) < 1e-14);
    CHECK(difference(most, [&](Index n, Index, Index, Index c) {
            double largest = -1e9;
            over(n, c, [&](double v, Index) { largest = std::max(largest, v); });
            return largest;
          }) == 0);
    ops::global_maximum_gradient<double>(context, read(x), read(most), read(dy), dx.part.view<double>());
    CHECK(difference(dx, [&](Index n, Index i, Index j, Index c) {
            Index first = -1;
            over(n, c, [&](double v, Index at) { first = first < 0 && v == read(most)(n, 0, 0, c) ? at : first; });
            return first == i * s.w + j ? read(dy)(n, 0, 0, c) : 0.0;
          }) == 0);
    ops::global_average_gradient<double>(context, read(dy), dx.part.view<double>());
    CHECK(difference(dx, [&](Index n, Index, Index, Index c) {
            return read(dy)(n, 0, 0, c) / static_cast<double>(s.h * s.w);
          }) < 1e-15);
    x.part.view<double>()(0, s.h / 2, s.w / 2, 0) = std::numeric_limits<double>::quiet_NaN();
    ops::global_maximum<double>(context, read(x), most.part.view<double>());
    CHECK(std::isnan(read(most)(0, 0, 0, 0)));
  }
}

TEST_CASE("pixel shuffle puts channels where PyTorch does, and back") {
  Context<Cpu> context({.threads = 2});
  for (const Index f : {1, 2, 3}) {
    const Shape small{2, 3, 4, 2 * f * f}, large{2, 3 * f, 4 * f, 2};
    Strided<float> x(context, small, random_numbers(small.count(), 1)), y(context, large, {}), back(context, small, {});
    ops::pixel_shuffle<float>(context, read(x), f, y.part.view<float>());
    CHECK(difference(y, [&](Index n, Index h, Index w, Index c) {
            return static_cast<double>(read(x)(n, h / f, w / f, c * f * f + h % f * f + w % f));
          }) == 0);
    ops::pixel_unshuffle<float>(context, read(y), f, back.part.view<float>());
    CHECK(numbers_of(read(back)) == numbers_of(read(x)));
    CHECK_THROWS_AS(ops::pixel_shuffle<float>(context, read(x), f + 1, y.part.view<float>()), ShapeError);
  }
}

TEST_CASE("layer norm and group norm: mean 0 and variance 1 of what they share") {
  for (const Shape& s : {Shape{2, 5, 7, 6}, {1, 1, 3, 18}}) {
    CAPTURE(s);
    Context<Cpu> context({.threads = 2});
    auto numbers = random_numbers(s.count(), 1);
    for (double& v : numbers) v = 1000 + v;  // far from 0, where squares would lose digits
    Strided<float> x(context, s, numbers), y(context, s, {});
    const std::vector<float> one(static_cast<std::size_t>(s.c), 1), zero(one.size(), 0);
    std::vector<float> mean(static_cast<std::size_t>(s.count())), inverse(mean.size());
    const auto moments = [&](Index n, Index y0, Index y1, Index x0, Index x1, Index c0, Index c1) {
      double first = 0, second = 0;
      for (Index i = y0; i < y1; ++i)
        for (Index j = x0; j < x1; ++j)
          for (Index c = c0; c < c1; ++c) {
            const double v = static_cast<double>(read(y)(n, i, j, c));
            first += v, second += v * v;
          }
      const double count = static_cast<double>((y1 - y0) * (x1 - x0) * (c1 - c0));
      CHECK(std::abs(first / count) < 2e-3);
      CHECK(second / count == Approx(1).epsilon(3e-3));
    };
    ops::layer_norm<float>(context, read(x), 1e-12, one.data(), zero.data(), mean.data(), inverse.data(),
                           y.part.view<float>());
    for (Index i = 0; i < s.h; ++i)
      for (Index j = 0; j < s.w; ++j) moments(s.n - 1, i, i + 1, j, j + 1, 0, s.c);
    for (const Index groups : {1, 2, 3}) {
      ops::group_statistics<float>(context, read(x), groups, 1e-12, mean.data(), inverse.data());
      ops::normalize<float>(context, read(x), s.n, mean.data(), inverse.data(), nullptr, nullptr, y.part.view<float>());
      const Index share = s.c / groups;
      for (Index n = 0; n < s.n; ++n)
        for (Index g = 0; g < groups; ++g) moments(n, 0, s.h, 0, s.w, g * share, (g + 1) * share);
    }
    CHECK_THROWS_AS(ops::group_statistics<float>(context, read(x), 5, 1e-5, mean.data(), inverse.data()), ShapeError);
  }
}

TEST_CASE("element dropout keeps the share it says, scaled, and is its own gradient") {
  const Shape s{2, 30, 20, 9};
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 5}) {
    Context<Cpu> context({.threads = threads});
    Strided<double> x(context, s, std::vector<double>(static_cast<std::size_t>(s.count()), 1.0)), y(context, s, {});
    ops::dropout<double>(context, read(x), 0.3f, {7, 3}, y.part.view<double>());
    results.push_back(numbers_of(read(y)));
    double kept = 0;
    for (const double v : results.back()) {
      CHECK((v == 0 || v == Approx(1 / 0.7).epsilon(1e-6)));
      kept += v != 0 ? 1 : 0;
    }
    CHECK(kept / static_cast<double>(s.count()) == Approx(0.7).epsilon(0.02));
    CHECK_THROWS_AS(ops::dropout<double>(context, read(x), 1.0f, {7, 3}, y.part.view<double>()), ArgumentError);
  }
  CHECK(results[0] == results[1]);
}
