#pragma once
#include <string>

#include "nucdet/data/augment.hpp"

namespace nucdet::models {

/// What the options settle, in one line, for the metadata of weights.
std::string describe(const data::StandardAugmentation& augmentation);

/// Geometry and strengths of the paper's protocol: no more than turns, scale, elastic changes, and a little stain.
data::StandardAugmentation paper_augmentation();

}  // namespace nucdet::models
