/// nucdet::onnx where ONNX's library is not there.
#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/onnx/export.hpp"

#include "support/catch.hpp"

TEST_CASE("an export without ONNX's library says what is missing", "[onnx]") {
  using namespace nucdet;
  Context<Cpu> context({.threads = 1});
  const nn::Network<nn::Conv<1, 1>, 3, Cpu> net(context);
  CHECK_FALSE(onnx::available());
  CHECK_THROWS_WITH(onnx::to_onnx(net, {}), Catch::Matchers::Contains("libonnx-dev"));
}
