// The built-in layers, programs and passes, and the detector, for a GPU, compiled once.
#define NUCDET_PREBUILT_CUDA template
#include "nucdet/detect/prebuilt.hpp"

#include "nucdet/io/weights.hpp"
