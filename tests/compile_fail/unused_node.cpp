// wanted: nothing reads the output of this node
#include "network.hpp"
struct Wrong : Graph<Node<"a", Conv<8, 3>>, Node<"b", Conv<4, 3>>, Node<"map", Conv<1, 1>, From<"a">>> {};
NUCDET_TRY(Wrong)
