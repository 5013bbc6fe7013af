// The steps of augmentation that are built in.
#include "nucdet/cuda/instantiate.cuh"
#include "nucdet/data/augment.hpp"

using namespace nucdet;

NUCDET_CUDA_AUGMENTATION_STEP(data::Stain)
NUCDET_CUDA_AUGMENTATION_STEP(data::Glass)
NUCDET_CUDA_AUGMENTATION_STEP(data::Pen)
NUCDET_CUDA_AUGMENTATION_STEP(data::Dust)
NUCDET_CUDA_AUGMENTATION_STEP(data::Resolution)
NUCDET_CUDA_AUGMENTATION_STEP(data::Blur)
NUCDET_CUDA_AUGMENTATION_STEP(data::Tone)
NUCDET_CUDA_AUGMENTATION_STEP(data::Noise)
NUCDET_CUDA_AUGMENTATION_STEP(data::Sharpen)
NUCDET_CUDA_AUGMENTATION_STEP(data::Margin)
NUCDET_CUDA_AUGMENTATION_STEP(data::Jpeg)
