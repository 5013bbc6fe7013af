// wanted: an Output stands in a graph within a graph
#include "network.hpp"
struct Inner : Graph<Output<"map", Conv<2, 1>>> {};
struct Wrong : Graph<Node<"inner", Inner>, Node<"map", Conv<1, 1>>> {};
NUCDET_TRY(Wrong)
