#include <cmath>
#include <limits>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/optim/clip.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using optim::Segment;

TEST_CASE("optim: clipping by norm scales to the limit and returns the norm before") {
  Context<Cpu> context({.threads = 2});
  std::vector<float> g{3, 0, -4};
  CHECK(optim::clip_norm(context, g, 5) == 5);
  CHECK(g == std::vector<float>{3, 0, -4});
  CHECK(optim::clip_norm(context, g, 1) == 5);
  CHECK(static_cast<double>(g[0]) == Approx(0.6));
  CHECK(static_cast<double>(g[2]) == Approx(-0.8));
}

TEST_CASE("optim: frozen gradients neither count nor change") {
  Context<Cpu> context({.threads = 1});
  const std::vector<Segment> segments{{0, 1}, {1, 1, true, true}, {2, 1}};
  std::vector<float> g{3, 100, -4};
  CHECK(optim::clip_norm(context, g, 2.5, segments) == 5);
  CHECK(g == std::vector<float>{1.5f, 100, -2});
  optim::clip_value(context, g, 1, segments);
  CHECK(g == std::vector<float>{1, 100, -1});
}

TEST_CASE("optim: a norm that is not finite comes back and scales nothing") {
  Context<Cpu> context({.threads = 1});
  std::vector<float> g{1, std::numeric_limits<float>::infinity()};
  CHECK(std::isinf(optim::clip_norm(context, g, 1)));
  CHECK(g[0] == 1);
  g[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(optim::clip_norm(context, g, 1)));
  optim::clip_value(context, g, 0.5);
  CHECK(g[0] == 0.5f);
  CHECK(std::isnan(g[1]));
}

TEST_CASE("optim: the norm has the same bits with one, two and five threads, and is that of a long double sum") {
  RandomStream random{3};
  std::vector<float> g(100003);
  long double sum = 0;
  for (float& v : g) {
    v = static_cast<float>(random.normal());
    sum += static_cast<long double>(v) * static_cast<long double>(v);
  }
  Context<Cpu> one({.threads = 1}), two({.threads = 2}), five({.threads = 5});
  const double norm = optim::gradient_norm(one, g);
  CHECK(norm == Approx(static_cast<double>(std::sqrt(sum))).epsilon(1e-13));
  CHECK(optim::gradient_norm(two, g) == norm);
  CHECK(optim::gradient_norm(five, g) == norm);
}

TEST_CASE("optim: clipping needs a positive limit") {
  Context<Cpu> context({.threads = 1});
  std::vector<float> g{1};
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -1.0, infinite, std::nan("")}) {
    CHECK_THROWS_AS(optim::clip_norm(context, g, bad), ArgumentError);
    CHECK_THROWS_AS(optim::clip_value(context, g, bad), ArgumentError);
  }
}
