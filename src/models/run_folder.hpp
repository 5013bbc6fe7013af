#pragma once
#include "nucdet/io/metadata.hpp"
#include "nucdet/models/training.hpp"

/// The folder of a run: what may be replaced in it, and by whom.
namespace nucdet::models {

/// Throws ArgumentError, naming the file, for a folder with a run that is not to be resumed, or with somebody's files
/// under the names of a run's.
void check_run_folder(const TrainingConfiguration& o);

/// Throws ArgumentError if there are weights in the folder that another run than the one described has left.
void check_weights_are_of(const io::Metadata& run, const TrainingConfiguration& o);

}  // namespace nucdet::models
