#pragma once
/// All layers.
#include "nucdet/nn/layers/activation.hpp"
#include "nucdet/nn/layers/add.hpp"
#include "nucdet/nn/layers/concat.hpp"
#include "nucdet/nn/layers/conv.hpp"
#include "nucdet/nn/layers/dropout.hpp"
#include "nucdet/nn/layers/normalization.hpp"
#include "nucdet/nn/layers/pool.hpp"
#include "nucdet/nn/layers/transposed_conv.hpp"
#include "nucdet/nn/layers/upsample.hpp"
