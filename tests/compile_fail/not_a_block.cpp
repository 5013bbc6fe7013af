// wanted: what stands in this node is no block
// wanted: InNode<'m', 'a', 'p'>
#include "network.hpp"
struct NoBlock {};
struct Wrong : Graph<Node<"map", NoBlock>> {};
NUCDET_TRY(Wrong)
