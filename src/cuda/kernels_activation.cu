// The activations.
#include "nucdet/cuda/instantiate.cuh"

NUCDET_CUDA_ACTIVATION(nucdet::ops::Elu)
NUCDET_CUDA_ACTIVATION(nucdet::ops::Relu)
NUCDET_CUDA_ACTIVATION(nucdet::ops::LeakyRelu)
NUCDET_CUDA_ACTIVATION(nucdet::ops::Sigmoid)
NUCDET_CUDA_ACTIVATION(nucdet::ops::ScaledSigmoid)
NUCDET_CUDA_ACTIVATION(nucdet::ops::Scale)
