// wanted: names one that is not above it \(is it misspelt\?\)
// wanted: InNode<'m', 'a', 'p'>, nucdet::nn::Named<'s', 't', 'e', 'n'>
#include "network.hpp"
struct Wrong : Graph<Node<"stem", Conv<8, 3>>, Node<"map", Conv<1, 1>, From<"sten">>> {};
NUCDET_TRY(Wrong)
