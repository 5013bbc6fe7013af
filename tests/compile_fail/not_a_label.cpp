// wanted: a label is a LabelProfile
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/train/task.hpp"
struct NoLabel {};
const nucdet::train::Task wrong{nucdet::loss::SquaredError{}, NoLabel{}};
