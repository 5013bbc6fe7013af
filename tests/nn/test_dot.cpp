#include "nucdet/nn/dot.hpp"
#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;
using Catch::Matchers::Contains;

namespace {

struct InnerProduct : Graph<Node<"one", Conv<4, 3>>, Node<"two", Conv<4, 3>>> {};
struct Net : Graph<Node<"stem", Conv<4, 3>>, Node<"low", Sequential<MaxPool<2>, InnerProduct>>,
                   Node<"join", ConcatTo<1, Upsample<2>, Identity>, From<"low", "stem">>, Node<"map", Conv<1, 1>>,
                   Node<"full \"size\"", MatchTo<Identity>, From<"map", "input">>> {};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a drawing has a node for each block, with its costs, and an arrow for each block that it reads") {
  Context<Cpu> context({.threads = 1});
  const Network<Net, 3, Cpu> net(context);
  const std::string text = dot(net, {1, 10, 12, 3});
  CAPTURE(text);
  CHECK(count(text, "fillcolor") == 6);
  // 3x3 convolutions from 3 and from 4 channels to 4: 112 and 148 parameters; 25920 FLOP of 45120, twice 8640, 1920.
  CHECK_THAT(text, Contains(R"(b0 [label="input\n3 x 1")"));
  CHECK_THAT(text, Contains(R"(b1 [label="stem\n4 x 1\n112 parameters\n57.4 % of FLOP")"));
  CHECK_THAT(text, Contains(R"(b2 [label="low\n4 x 1/2\n296 parameters\n38.3 % of FLOP")"));
  CHECK_THAT(text, Contains(R"(b3 [label="join\n8 x 1")"));
  CHECK_THAT(text, Contains(R"(b5 [label="full \"size\"\n1 x 1")"));
  CHECK_THAT(text, Contains(R"(label="417 parameters, 45.1 kFLOP for 1x10x12x3")"));
  for (const char* arrow : {"b0 -> b1;", "b1 -> b2;", "b1 -> b3;", "b2 -> b3;", "b3 -> b4;", "b4 -> b5;"})
    CHECK(count(text, arrow) == 1);
  CHECK(count(text, "b0 -> b5 [style=dashed") == 1);  // a size only
  CHECK(count(text, "->") == 7);
}

TEST_CASE("a drawing of a network that is no graph is one block") {
  Context<Cpu> context({.threads = 1});
  const Network<Sequential<Conv<4, 3>, Relu>, 3, Cpu> net(context);
  CHECK_THAT(dot(net, {1, 8, 8, 3}), Contains("network") && Contains("b0 -> b1;"));
}
