// wanted: two nodes of this graph have the same name
#include "network.hpp"
struct Wrong : Graph<Node<"a", Conv<8, 3>>, Node<"a", Conv<1, 1>>> {};
NUCDET_TRY(Wrong)
