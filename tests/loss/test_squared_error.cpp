#include "nucdet/loss/squared_error.hpp"

#include "loss/slope.hpp"

using nucdet::loss::SquaredError;

TEST_CASE("loss: squared error by hand, and its slope is the derivative") {
  const float o[] = {3.0f, 1.0f}, y[] = {1.0f, 2.0f};
  float slope[2];
  CHECK(SquaredError{}.value(o, y, y, 2) == 1.25f);  // (4 + 1) / 2 / 2
  SquaredError{}.slope(o, y, y, 2, slope);
  CHECK(slope[0] == 1.0f);
  CHECK(slope[1] == -0.5f);
  CHECK(SquaredError{}.target_maps(3) == 3);
  check_slope(SquaredError{}, 1);
  check_slope(SquaredError{}, 3);
}
