//! [device]
#include <nucdet/cuda/instantiate.cuh>

#include "huber.hpp"
NUCDET_CUDA_LOSS(Huber)
//! [device]
