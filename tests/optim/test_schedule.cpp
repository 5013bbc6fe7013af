#include <cmath>
#include <limits>

#include "nucdet/optim/schedule.hpp"

#include "support/catch.hpp"

using nucdet::ArgumentError;
using nucdet::optim::Constant;
using nucdet::optim::Cosine;

TEST_CASE("optim: cosine with warm-up, at its corners") {
  const Cosine schedule{.rate = 0.1, .iterations = 110, .warmup = 10, .floor = 0.02};
  CHECK(schedule(0) == Approx(0.01));
  CHECK(schedule(4) == Approx(0.05));
  CHECK(schedule(9) == Approx(0.1));
  CHECK(schedule(10) == Approx(0.1));
  CHECK(schedule(60) == Approx(0.06));
  CHECK(schedule(35) == Approx(0.06 + 0.04 * std::sqrt(0.5)));
  CHECK(schedule(110) == 0.02);
  CHECK(schedule(100000) == 0.02);
  CHECK(Cosine{.rate = 1, .iterations = 10}(0) == 1);
  CHECK(Constant{0.5}(12345) == 0.5);
}

TEST_CASE("optim: schedule settings out of range") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(Constant{-1}.check(), ArgumentError);
  CHECK_THROWS_AS(Constant{nan}.check(), ArgumentError);
  for (const Cosine bad : {Cosine{0, 10, 0, 0}, Cosine{1, 10, 10, 0}, Cosine{1, 10, -1, 0}, Cosine{1, 0, 0, 0},
                           Cosine{1, 10, 0, 2}, Cosine{nan, 10, 0, 0}, Cosine{1, 10, 0, nan}})
    CHECK_THROWS_AS(bad.check(), ArgumentError);
}
