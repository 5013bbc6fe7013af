// wanted: a loss needs value, slope and target_maps
#include "nucdet/label/proximity.hpp"
#include "nucdet/train/task.hpp"
struct NoLoss {};
const nucdet::train::Task wrong{NoLoss{}, nucdet::label::ProximityMap{}};
