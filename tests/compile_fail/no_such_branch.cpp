// wanted: ConcatTo<k, ...> and AddTo<k, ...> take the size of branch k, and there is no such branch
// wanted: InNode<'m', 'a', 'p'>
#include "network.hpp"
struct Wrong : Graph<Node<"map", ConcatTo<5, Conv<4, 3>, Identity>>> {};
NUCDET_TRY(Wrong)
