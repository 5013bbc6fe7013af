// wanted: Spec
#include "network.hpp"
struct NoBlock {};
struct Wrong : Graph<Node<"map", NoBlock>> {};
NUCDET_TRY(Wrong)
