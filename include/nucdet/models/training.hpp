#pragma once
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "nucdet/core/ranks.hpp"
#include "nucdet/core/watch.hpp"
#include "nucdet/data/augment.hpp"
#include "nucdet/data/dataset.hpp"
#include "nucdet/models/networks.hpp"
#include "nucdet/train/state.hpp"

/// A training from a configuration, without naming a type: what `nucdet train` does.
namespace nucdet::models {

/// Data, network and protocol. The defaults are the preset "laptop".
struct TrainingConfiguration {
  std::vector<std::string> manifests;  ///< or folders
  std::vector<double> weights;         ///< how often each of them is drawn; empty: alike
  std::string out;                     ///< the folder of the run
  std::string preset = "laptop";       ///< laptop, finetune or paper: where the defaults came from
  std::string train_split = "train", validation_split = "val";
  std::string auxiliary;  ///< a second manifest, mixed in: gamma L_T + L_A
  double gamma = 1;
  NetworkChoice network;            ///< the default: that of the weights to start from, if there are some
  std::string initial;              ///< weights to start from
  std::vector<std::string> freeze;  ///< blocks that keep their weights
  /// fixed, image or tissue; auto: that of the weights to start from, else fixed.
  std::string normalization = "auto";
  /// auto: as the paper uses the network, see paper_use(). Cross-entropy gives the network two maps.
  std::string loss = "auto", label = "auto";
  std::string optimizer = "adamw", schedule = "cosine";
  double alpha = 3, lambda = 5, least_mean = 0.02;
  std::optional<double> radius;  ///< of the label; empty: 15 for proximity, 16 for gaussian (4 sigma), 8 for disc
  std::int64_t iterations = 6000, validate_every = 500, patience = 10'000, stop_after = 3000;
  std::optional<std::int64_t> warmup;  ///< empty: 200, at most a twentieth of the iterations
  std::int64_t snapshot_every = 0;     ///< keep the weights every so many iterations; 0: not
  double rate = 3e-3, momentum = 0.9, decay = 1e-2, clip = 1;
  double average = 0.998;        ///< decay of the moving average of the weights; 0: none
  Index batch = 4, crop = 192;   ///< batch: of all ranks together
  bool joint_statistics = true;  ///< of several ranks: batch norm looks at all their images, or each at its own
  data::StandardAugmentation augment;
  bool balanced = true;      ///< of a data set, draw the organ first, then the image
  bool classes = true;       ///< learn the classes that the points have
  std::string best = "f1";   ///< or loss, or classes
  bool relative = false;     ///< choose the paper's threshold xi too
  Index least_nuclei = 200;  ///< in the validation images, for thresholds to be chosen by them
  std::uint64_t seed = 1;    ///< of everything random: the context must have the same
  bool resume = false;       ///< go on from the checkpoint in `out`, if there is one
  std::string licence;       ///< of the training data, kept with the weights
};

/// Sets what a preset settles and leaves the rest. Throws ArgumentError for a name that is none.
void apply_preset(TrainingConfiguration& configuration, const std::string& name);

/// Throws ArgumentError for words and numbers that are none of the above, for weights of another network than was asked
/// for, and for a folder that holds a run which is not to be resumed; IoError for weights that cannot be read. A
/// training asks it first.
void check(const TrainingConfiguration& configuration);

/// The response that stands for the highest value of the configuration's label: Validation::floor is in its units.
double full_response_of(const TrainingConfiguration& configuration);

/// What is trained on, validated with, and mixed in (if anything).
struct TrainingData {
  std::string name;  ///< said of the training data in the weights' metadata
  data::Dataset target, validation, auxiliary;
  std::map<std::string, double> weights{};  ///< how often a set of the target is drawn
  ClassNames classes{};                     ///< that the points of the target have; none, or two at least
};

/// How a host program follows a training. All calls come from the thread that trains.
struct TrainingWatch {
  /// Asked between images that are read, or validated with, and after each step. Once the network is made the
  /// checkpoint is written before Stopped is thrown; a validation that was not brought to its end is made by the run
  /// that resumes.
  std::stop_token stop{};
  std::function<void(const train::StepReport&)> on_step{};
  std::function<void(const train::Validation&)> on_validation{};
  std::function<void(const std::string&)> on_note{};  ///< a sentence on what was decided by itself
  std::function<void()> on_image{};                   ///< before an image is read, or validated with

  void note(const std::string& text) const {
    if (on_note) on_note(text);
  }
  /// For work on one image after another.
  Watch images() const {
    return {.stop = stop, .progress = [tell = on_image](Index done, Index all) {
              if (tell && done < all) tell();
            }};
  }
};

/// What the configuration's manifests hold. A manifest without images to validate with gives some of its own, by
/// patient where it names patients, else by image; one that has but one image or patient validates on the images that
/// are trained on. Notes say so, and where nothing can be chosen by validation. Throws IoError for no nuclei to train
/// on, ArgumentError for weights and manifests that do not fit, and Stopped.
TrainingData load_training_data(Context<Cpu>& context, const TrainingConfiguration& configuration,
                                const TrainingWatch& watch = {});

/// Trains a network and returns the best validation. Writes best.safetensors, last.safetensors, log.csv and curves to
/// the folder `out`. Manifests are not looked at. Throws ArgumentError for what does not fit together (see check) and
/// for a checkpoint of another run, IoError, NumericError where the loss explodes, and Stopped.
/// ranks: processes that train together, each calls it with the same configuration and data (RanksError otherwise);
/// rank 0 writes the files, all return the same.
template <class Device>
train::Validation train_network_on(Context<Device>& context, const TrainingConfiguration& configuration,
                                   TrainingData data, const TrainingWatch& watch = {}, Ranks* ranks = nullptr);

/// The same with the data that the configuration names.
template <class Device>
train::Validation train_network(Context<Device>& context, const TrainingConfiguration& configuration,
                                const TrainingWatch& watch = {}, Ranks* ranks = nullptr) {
  check(configuration);
  return train_network_on(context, configuration, load_training_data(context.host(), configuration, watch), watch,
                          ranks);
}

}  // namespace nucdet::models
