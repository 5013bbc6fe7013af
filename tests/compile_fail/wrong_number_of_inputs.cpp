// wanted: joins another number of inputs than From
#include "network.hpp"
struct Wrong : Graph<Node<"a", Conv<8, 3>>, Node<"map", Conv<1, 1>, From<"a", "input">>> {};
NUCDET_TRY(Wrong)
