// A project that uses nucdet::cuda from outside, compiled and linked without nvcc.
#include <iostream>

#include <nucdet/nets/blocks.hpp>
#include <nucdet/nn/network.hpp>

using namespace nucdet;

struct Own : nn::Graph<nn::Node<"stem", nn::ConvUnit<8>>, nn::Node<"map", nn::Conv<1, 1>>> {};

int main() {
  try {
    Context<Cuda> context;
    const nn::Network<Own, 3, Cuda> net(context);
    std::cout << context.device().name << ' ' << net.forward(context.zeros({1, 20, 30, 3})).shape() << '\n';
  } catch (const CudaError& error) {
    std::cout << error.what() << '\n';
    return cuda::availability().devices.empty() ? 0 : 1;
  }
}
