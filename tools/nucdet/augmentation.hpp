#pragma once
#include <string>

#include "nucdet/data/augment.hpp"

#include "commands.hpp"

namespace nucdet::program {

/// The options as the library takes them.
data::StandardAugmentation augmentation_of(const AugmentOptions& options);

/// All of them in one line, for the metadata of weights.
std::string describe(const AugmentOptions& options);

/// Geometry and strengths of the paper's protocol: no more than turns, scale, elastic changes, and a little stain.
AugmentOptions paper_augmentation();

}  // namespace nucdet::program
