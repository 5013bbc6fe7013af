#pragma once
#include <optional>

#include "nucdet/metrics/curve.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/slide/pyramid_reader.hpp"

#include "../commands.hpp"
#include "../inputs.hpp"

/// What is scored against: images and slides with their annotations, and where these count.
namespace nucdet::program::evaluation {

/// An image with its annotations, whose areas are those of --areas where they are given. Of a slide no pixels are read,
/// and the picture is its frame.
struct AnnotatedInput {
  models::AnnotatedPicture read;
  std::optional<slide::Slide> slide{};
  detect::Rectangle frame{};  ///< of a slide: see frame_of
};

/// Says, unless quiet, where all of a slide counts. Throws IoError.
AnnotatedInput read_input(const EvaluateOptions& options, const Input& input);

/// Where nuclei of an image count: --areas, or what its annotations say. Throws IoError.
Areas areas_of(const EvaluateOptions& options, const Input& input);

/// The annotated nuclei and the areas in reference pixels, without peaks. Throws IoError for points outside of the
/// image.
metrics::Candidates truth_of(const Input& input, models::AnnotatedPicture read, const ClassNames& names = {});

}  // namespace nucdet::program::evaluation
