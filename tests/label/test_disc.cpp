#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/render.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("label: a disc holds the lattice points within its radius, the rim included") {
  Context<Cpu> context({.threads = 1});
  std::vector<float> map(21 * 21);
  const auto count = [&](float radius, std::vector<Point> points) {
    label::render(context, label::Disc{radius}, points, View<float>(map.data(), {1, 21, 21, 1}));
    int ones = 0;
    for (const float v : map) {
      CHECK((v == 0.0f || v == 1.0f));
      ones += v == 1.0f;
    }
    return ones;
  };
  CHECK(count(5, {{10, 10}}) == 81);  // Gauss's circle problem
  CHECK(count(5, {{10, 10}, {10, 10}}) == 81);
  CHECK(count(0, {{10, 10}}) == 1);
  CHECK(count(0, {{10.5, 10}}) == 0);
  CHECK(count(1, {{0, 0}}) == 3);
}

TEST_CASE("label: a negative disc radius is an error") {
  CHECK_THROWS_AS((label::Disc{-1}.check()), ArgumentError);
  CHECK_THROWS_AS((label::Disc{5000}.check()), ArgumentError);
}
