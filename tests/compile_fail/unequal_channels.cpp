// wanted: branches need equal channel counts
#include "network.hpp"
struct Wrong : Graph<Node<"block", Residual<Conv<8, 3>>>, Node<"map", Conv<1, 1>>> {};
NUCDET_TRY(Wrong)
