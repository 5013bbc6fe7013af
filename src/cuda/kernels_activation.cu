// The activations.
#include "nucdet/cuda/instantiate.cuh"

#define NUCDET_KERNELS_OF(F, name) NUCDET_CUDA_ACTIVATION(nucdet::ops::F)
NUCDET_ACTIVATIONS(NUCDET_KERNELS_OF)
