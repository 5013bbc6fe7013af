#pragma once
#include <string>

#include "nucdet/io/metadata.hpp"
#include "nucdet/models/training.hpp"

/// How a run is told in the metadata of its weights and checkpoints.
namespace nucdet::models {

/// Everything that a resumed run must have in common with the one that it goes on with, and that detection must know.
io::Metadata describe_run(const TrainingConfiguration& o, const TrainingData& data,
                          const data::Normalization& normalization, const std::string& precision);

/// The data themselves, pixels, points and classes, as hashes (`data.hash.train`, ...), and for a checkpoint alone, so
/// that it can be told what is another one, those of the images (`data.images.train`, ...), if there are not too many.
io::Metadata describe_data(Context<Cpu>& context, const TrainingData& data);
constexpr const char* kDataImages = "data.images.";

/// Throws ArgumentError, naming all differences, if a checkpoint belongs to another run.
void check_same_run(const io::Metadata& checkpoint, const io::Metadata& wanted, const std::string& where,
                    bool more_iterations);

/// Throws RanksError, naming a rank and what is different there, unless all ranks have the same.
void check_same_on(Ranks& ranks, const io::Metadata& mine);

}  // namespace nucdet::models
