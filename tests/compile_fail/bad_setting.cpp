// wanted: a layer.s kernel, stride, .* or momentum is out of range
#include "network.hpp"
struct Wrong : Graph<Node<"map", Conv<1, 3, ConvOptions{.stride = 0}>>> {};
NUCDET_TRY(Wrong)
