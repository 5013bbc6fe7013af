#include <limits>

#include "nucdet/optim/plateau.hpp"

#include "support/catch.hpp"

using nucdet::ArgumentError;
using nucdet::NumericError;
using nucdet::optim::Plateau;
using nucdet::optim::PlateauState;

TEST_CASE("optim: plateau: 1e-2, 1e-3, 1e-4, stop, each after its patience") {
  const Plateau plateau{};
  PlateauState state = plateau.start(1e-2);
  CHECK(plateau.observe(state, 500, 3.0));
  CHECK(plateau.observe(state, 1000, 2.0));
  const double rates[] = {1e-3, 1e-4, 1e-5};
  for (int cut = 0; cut < 3; ++cut) {
    CHECK_FALSE(plateau.finished(state));
    const double before = state.rate;
    for (std::int64_t i = 1000 + 10000 * cut + 500; i < 1000 + 10000 * (cut + 1); i += 500) {
      CHECK_FALSE(plateau.observe(state, i, 2.0));  // equal is no improvement
      REQUIRE(state.rate == before);
    }
    plateau.observe(state, 1000 + 10000 * (cut + 1), 2.5);
    CHECK(state.rate == Approx(rates[cut]).epsilon(1e-12));
  }
  CHECK(plateau.finished(state));
  CHECK(state.best == 2.0);
  CHECK(state.best_iteration == 1000);
}

TEST_CASE("optim: plateau: an improvement starts patience anew and keeps the rate") {
  const Plateau plateau{.factor = 2, .patience = 10, .floor = 0.1};
  PlateauState state = plateau.start(1, 100);
  CHECK(plateau.observe(state, 100, 5));
  CHECK_FALSE(plateau.observe(state, 109, 6));
  CHECK(plateau.observe(state, 112, 4.9));  // late, but better
  CHECK(state.rate == 1);
  CHECK_FALSE(plateau.observe(state, 121, 5));
  CHECK(state.rate == 1);
  plateau.observe(state, 122, 5);
  CHECK(state.rate == 0.5);
}

TEST_CASE("optim: plateau: a copied state goes on as the original") {
  const Plateau plateau{.factor = 3, .patience = 3, .floor = 1e-3};
  PlateauState state = plateau.start(0.5);
  const auto loss = [](std::int64_t i) { return static_cast<double>((i * 7) % 11) + 1; };
  PlateauState resumed;
  for (std::int64_t i = 0; i < 40; ++i) {
    plateau.observe(state, i, loss(i));
    if (i == 17) resumed = {state.rate, state.best, state.best_iteration, state.since};
    if (i > 17) plateau.observe(resumed, i, loss(i));
  }
  CHECK(resumed == state);
  CHECK(state.rate < 0.5);
}

TEST_CASE("optim: plateau: a loss that is not finite is an error and changes nothing") {
  const Plateau plateau{};
  PlateauState state = plateau.start(1e-2);
  plateau.observe(state, 10, 1.0);
  const PlateauState before = state;
  CHECK_THROWS_AS(plateau.observe(state, 20, std::numeric_limits<double>::quiet_NaN()), NumericError);
  CHECK_THROWS_AS(plateau.observe(state, 20, std::numeric_limits<double>::infinity()), NumericError);
  CHECK(state == before);
  CHECK_THROWS_AS(plateau.observe(state, 9, 1.0), ArgumentError);
  CHECK_THROWS_AS(plateau.start(0), ArgumentError);
  for (const Plateau bad : {Plateau{1, 10, 0}, Plateau{10, 0, 0}, Plateau{10, 10, -1}})
    CHECK_THROWS_AS(bad.check(), ArgumentError);
}
