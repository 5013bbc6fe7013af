// wanted: an item of this Graph is no Node
// wanted: InNode<'\(', 't', 'o', 'p', '\)'>
#include "network.hpp"
struct Wrong : Graph<Node<"stem", Conv<8, 3>>, Conv<1, 1>> {};
NUCDET_TRY(Wrong)
