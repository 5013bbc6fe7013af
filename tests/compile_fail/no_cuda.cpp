// wanted: nucdet was built without CUDA
#include "nucdet/core/context.hpp"
nucdet::Context<nucdet::Cuda> context;
