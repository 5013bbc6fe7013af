#include <limits>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/mix.hpp"
#include "nucdet/loss/squared_error.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using loss::mix_weights;
using loss::Origin;

namespace {
constexpr Origin T = Origin::target, A = Origin::auxiliary;

/// Losses 1/2, 4/2, 9/2, ... of one-pixel samples.
double mixed(const std::vector<Origin>& origins, double gamma) {
  Context<Cpu> context({.threads = 1});
  const Shape shape{static_cast<Index>(origins.size()), 1, 1, 1};
  std::vector<double> o(origins.size()), y(origins.size(), 0.0);
  for (std::size_t i = 0; i < o.size(); ++i) o[i] = static_cast<double>(i + 1);
  return loss::evaluate<double>(context, loss::SquaredError{}, View<double>(o.data(), shape),
                                View<double>(y.data(), shape), mix_weights(origins, gamma));
}
}  // namespace

TEST_CASE("loss: the mix is gamma times the target's mean plus the auxiliary mean") {
  CHECK(mixed({T, A, A, T, A}, 3) == Approx(3 * (1 + 16) / 4.0 + (4 + 9 + 25) / 6.0));
  CHECK(mixed({T, A}, 1) == Approx(0.5 + 2));
  CHECK(mixed({T, A}, 0) == Approx(2));
}

TEST_CASE("loss: a batch of one origin has that term alone") {
  CHECK(mixed({T, T}, 10) == Approx(10 * (0.5 + 2) / 2));
  CHECK(mixed({A, A}, 10) == Approx((0.5 + 2) / 2));
  CHECK(mix_weights({}, 1).empty());
}

TEST_CASE("loss: gamma must be a number that is not negative") {
  const std::vector<Origin> origins{T, A};
  CHECK_THROWS_AS(mix_weights(origins, -0.1), ArgumentError);
  CHECK_THROWS_AS(mix_weights(origins, std::numeric_limits<double>::quiet_NaN()), ArgumentError);
  CHECK_THROWS_AS(mix_weights(origins, std::numeric_limits<double>::infinity()), ArgumentError);
}
