// wanted: the network's head wants another number of channels of this output
// wanted: Named<'m', 'a', 'p'>, 1, 2>
#include "network.hpp"
struct Wrong : Graph<Output<"map", Conv<2, 1>>> {
  using head = Proximity;
};
NUCDET_TRY(Wrong)
