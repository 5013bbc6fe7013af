// wanted: names no node above it \(is it misspelt\?\)
#include "network.hpp"
struct Wrong : Graph<Node<"stem", Conv<8, 3>>, Node<"map", Conv<1, 1>, From<"sten">>> {};
NUCDET_TRY(Wrong)
