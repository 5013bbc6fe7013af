#pragma once
#include <optional>

namespace nucdet::models {

/// Replaces what a weight file says of thresholds.
struct Thresholds {
  std::optional<double> threshold{};  ///< the least score, in units of the model's scores
  std::optional<double> xi{};         ///< the paper's, a fraction of the image's highest response
};

}  // namespace nucdet::models
