// The built-in layers, programs and passes for a GPU, compiled once.
#define NUCDET_PREBUILT_CUDA template
#include "nucdet/nn/prebuilt.hpp"
