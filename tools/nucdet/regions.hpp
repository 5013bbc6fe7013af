#pragma once
#include "nucdet/detect/component_centroids.hpp"
#include "nucdet/detect/local_maxima.hpp"

#include "commands.hpp"

namespace nucdet::program {

/// The rule of --components, whose threshold is one of the model's scores.
inline detect::ComponentCentroids regions_of(const ThresholdOptions& thresholds, detect::LocalMaxima peaks) {
  peaks.set_threshold(*thresholds.components);
  return {.threshold = peaks.absolute, .least_area = 10};  // smaller regions are specks
}

}  // namespace nucdet::program
