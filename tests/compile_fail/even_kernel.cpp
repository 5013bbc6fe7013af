// wanted: a centred convolution needs an odd kernel
#include "network.hpp"
struct Wrong : Graph<Node<"map", Conv<1, 4>>> {};
NUCDET_TRY(Wrong)
