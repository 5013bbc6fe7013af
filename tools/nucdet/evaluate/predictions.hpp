#pragma once
#include <vector>

#include "scored.hpp"

namespace nucdet::program::evaluation {

/// Detections made elsewhere: of each image a file of points in the image's own pixels, called as its results are, or
/// as the image alone, in any format of annotations. An image without a file counts as one in which nothing was found.
/// Says on stderr what looks wrong with them: missing files, points outside, x and y exchanged, um; with options.strict
/// throws IoError instead.
std::vector<Scored> with_predictions(const EvaluateOptions& options, const std::vector<Input>& inputs,
                                     const ChosenMatcher& matcher);

}  // namespace nucdet::program::evaluation
