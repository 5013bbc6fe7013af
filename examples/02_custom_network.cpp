/// A network of one's own, with a block of one's own, checked when this file is compiled.
///   02_custom_network      prints its layers, shapes and costs, and runs it once
#include <iostream>

#include <nucdet/nucdet.hpp>

using namespace nucdet::nn;

//! [block]
/// A block is a struct: no registration, no macro. It narrows, convolves, widens, and adds its input.
template <int Channels>
struct Bottleneck : Residual<ConvUnit<Channels / 4, 1>, ConvUnit<Channels / 4>, Conv<Channels, 1>> {};
//! [block]

//! [network]
/// A network is a list of named nodes, read top to bottom. Without From, a node reads the one above it.
struct TinyNet : Graph<                                                              //
                     Node<"stem", ConvUnit<16>>,                                     //  16 channels, full size
                     Node<"deep", Sequential<ResidualDown<32, 1>, Bottleneck<32>>>,  //  32 channels, half size
                     Node<"merge", ConcatTo<0, Identity, Upsample<2>>, From<"stem", "deep">>,  //  48 channels
                     Node<"map", Conv<1, 1>>> {};
//! [network]

int main() {
  //! [run]
  nucdet::Context<nucdet::Cpu> context({.seed = 7});
  const Network<TinyNet, 3, nucdet::Cpu> net(context);
  std::cout << summary(net, {1, 256, 256, 3});
  //! [run]
}
