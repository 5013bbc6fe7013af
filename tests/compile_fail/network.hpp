#pragma once
// NUCDET_TRY(Wrong) names a network that must not compile; with NUCDET_RIGHT one that must, so that a broken include
// cannot pass for the wanted mistake.
#include "nucdet/nets/blocks.hpp"
#include "nucdet/nn/network.hpp"

using namespace nucdet::nn;

struct Right : Graph<Node<"stem", Conv<8, 3>>, Node<"map", Conv<1, 1>>> {};

#ifdef NUCDET_RIGHT
#define NUCDET_TRY(Wrong) static_assert(sizeof(Network<Right, 3, nucdet::Cpu>) > 0);
#else
#define NUCDET_TRY(Wrong) static_assert(sizeof(Network<Wrong, 3, nucdet::Cpu>) > 0);
#endif
