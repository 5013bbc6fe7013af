// wanted: the network's head names an output that it has not
// wanted: Named<'c', 'l', 'a', 's', 's', 'e', 's'>
#include "network.hpp"
struct Wrong : Graph<Output<"map", Conv<1, 1>>, Output<"kinds", Conv<2, 1>>> {
  using head = Joint<Proximity, Classes<"a", "b">>;
};
NUCDET_TRY(Wrong)
