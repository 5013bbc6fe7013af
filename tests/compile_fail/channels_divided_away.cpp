// wanted: a layer needs at least one channel
#include "network.hpp"
template <int Channels>
struct Bottleneck : Sequential<Conv<Channels / 4, 1>, Conv<Channels, 1>> {};
struct Wrong : Graph<Node<"map", Bottleneck<2>>> {};
NUCDET_TRY(Wrong)
