#pragma once
#include <map>
#include <string>

#include "nucdet/data/dataset.hpp"
#include "nucdet/train/state.hpp"

#include "commands.hpp"

/// The training of `nucdet train` and of the studies.
namespace nucdet::program {

/// What is trained on, validated with, and mixed in (if anything).
struct RunData {
  std::string name;  ///< said of the training data in the weights' metadata
  data::Dataset target, validation, auxiliary;
  std::map<std::string, double> weights{};  ///< how often a set of the target is drawn
  ClassNames classes{};                     ///< that the points of the target have; none, or two at least
};

/// What the options' manifests hold. A manifest without images to validate with gives some of its own, by patient where
/// it names patients, else by image; what was done is said on stderr. Throws IoError for a split without any nucleus.
RunData load_run_data(Context<Cpu>& context, const TrainOptions& options);

/// Trains a network as the options say and returns the best validation. Writes best.safetensors, last.safetensors and
/// the log to options.out; with options.resume, goes on from the checkpoint there. Of the options, those that say where
/// the data comes from and on which device are not looked at.
template <class Device>
train::Validation train_model(Context<Device>& context, const TrainOptions& options, RunData data);

}  // namespace nucdet::program
