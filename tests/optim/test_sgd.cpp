#include <limits>

#include "nucdet/optim/sgd.hpp"

#include "optim/golden.hpp"

using nucdet::ArgumentError;
using nucdet::optim::Sgd;

TEST_CASE("optim: SGD with Nesterov's momentum and decay takes PyTorch's steps") {
  check_against_torch(Sgd{.momentum = 0.9, .nesterov = true, .decay = 0.01}, 0.1,
                      {{0.903100000000, -1.483200000000, 0.556050000000},
                       {0.846597410000, -1.045073120000, 0.662343155000},
                       {0.715076981551, -0.438524686992, 0.796309477121},
                       {0.634210629473, -0.044549045486, 0.994143829554},
                       {0.488026554311, 0.415615809332, 1.239076184269}});
}

TEST_CASE("optim: SGD with plain momentum takes PyTorch's steps") {
  check_against_torch(Sgd{.momentum = 0.8, .nesterov = false, .decay = 0}, 0.1,
                      {{0.950000000000, -1.730000000000, 0.530000000000},
                       {0.901500000000, -1.373700000000, 0.596100000000},
                       {0.815655000000, -0.887553000000, 0.685707000000},
                       {0.742509350000, -0.451004570000, 0.810392090000},
                       {0.641717549500, -0.002155323300, 0.961867608300}});
}

TEST_CASE("optim: SGD settings out of range") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Sgd bad : {Sgd{1, true, 0}, Sgd{-0.1, false, 0}, Sgd{nan, true, 0}, Sgd{0.9, true, -1},
                        Sgd{0.9, true, nan}, Sgd{0, true, 0}})
    CHECK_THROWS_AS(bad.check(), ArgumentError);
  CHECK_NOTHROW((Sgd{.momentum = 0, .nesterov = false}.check()));
}
