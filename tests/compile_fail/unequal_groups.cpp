// wanted: the channels cannot be cut into so many equal groups
#include "network.hpp"
struct Wrong : Graph<Node<"map", Conv<8, 3, ConvOptions{.groups = 2}>>> {};
NUCDET_TRY(Wrong)
