// wanted: a layer needs at least one channel
#include "network.hpp"
struct Wrong : Graph<Node<"map", Conv<-1, 3>>> {};
NUCDET_TRY(Wrong)
