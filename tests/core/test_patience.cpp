#include "nucdet/core/patience.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("patience ends when its time is up, and time in which the process did not run is hardly any") {
  Patience brief(std::chrono::milliseconds(20));
  while (brief.lasts()) continue;
  CHECK(brief.seconds() > 0.02);
  Patience suspended(std::chrono::milliseconds(1500));
  std::this_thread::sleep_for(std::chrono::milliseconds(1600));
  CHECK(suspended.lasts());
  CHECK(suspended.seconds() == 1);
}
