#include <limits>

#include "nucdet/optim/adam.hpp"

#include "optim/golden.hpp"

using nucdet::ArgumentError;
using nucdet::optim::Adam;

TEST_CASE("optim: Adam with decay takes PyTorch's steps") {
  check_against_torch(Adam{.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-6, .decay = 0.02}, 0.05,
                      {{0.950000096154, -1.950000018248, 0.549999827587},
                       {0.909763996799, -1.901922739079, 0.599582000552},
                       {0.865276838056, -1.852955259719, 0.649289285835},
                       {0.825877569474, -1.805088966189, 0.699198427105},
                       {0.783166051864, -1.756460720919, 0.749246125549}});
}

TEST_CASE("optim: decoupled Adam takes the steps of PyTorch's AdamW") {
  check_against_torch(Adam{.beta1 = 0.8, .beta2 = 0.999, .epsilon = 1e-8, .decay = 0.3, .decoupled = true}, 0.05,
                      {{0.935000001000, -1.920000000185, 0.542499998333},
                       {0.883694471127, -1.844073027045, 0.584558629462},
                       {0.826587763140, -1.767626710780, 0.625783039086},
                       {0.778421159626, -1.694618803280, 0.667297414934},
                       {0.725259330770, -1.621160706037, 0.708106821133}});
}

TEST_CASE("optim: Adam settings out of range") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Adam bad :
       {Adam{.beta1 = 1}, Adam{.beta2 = -0.1}, Adam{.beta2 = nan}, Adam{.epsilon = 0}, Adam{.decay = -1}})
    CHECK_THROWS_AS(bad.check(), ArgumentError);
  CHECK_NOTHROW(Adam{}.check());
}
