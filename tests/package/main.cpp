// A project that uses nucdet from outside: a network of its own, a file format, a run.
#include <iostream>
#include <sstream>

#include <nucdet/io/csv.hpp>
#include <nucdet/nets/blocks.hpp>
#include <nucdet/nn/network.hpp>
#include <nucdet/nn/summary.hpp>
#include <nucdet/version.hpp>

using namespace nucdet::nn;

struct Own : Graph<Node<"stem", ConvUnit<8>>, Node<"map", Conv<1, 1>>> {};

int main() {
  nucdet::Context<nucdet::Cpu> context({.threads = 2});
  const Network<Own, 3, nucdet::Cpu> net(context);
  const auto y = net.forward(context.zeros({1, 20, 30, 3}));
  const auto points = nucdet::io::parse_points("x,y\n1,2\n", "here");
  std::cout << summary(net, {1, 20, 30, 3}) << points.size() << ' ' << y.shape() << '\n';
  return points.size() == 1 && y.shape() == nucdet::Shape{1, 20, 30, 1} ? 0 : 1;
}
