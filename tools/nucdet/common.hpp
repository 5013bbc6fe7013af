#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/data/dataset.hpp"
#include "nucdet/detect/component_centroids.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/train/thresholds.hpp"

#include "commands.hpp"
#include "networks.hpp"

/// What several subcommands need: data sets from manifests, models from files, progress.
namespace nucdet::program {

/// The entries of a manifest (or folder) in a split; all of them for an empty split. Throws IoError if there are none.
std::vector<io::ManifestEntry> entries_of(const std::string& manifest, const std::string& split);

/// Results are named after images: throws ArgumentError if two images have the same name.
void check_names(const std::vector<io::ManifestEntry>& entries);

/// Makes a folder for results. Throws IoError.
void make_folder(const std::filesystem::path& folder);

/// Reads an entry's image and points and brings them to reference pixels.
data::Sample load_sample(Context<Cpu>& context, const io::ManifestEntry& entry);
/// The same for many, on the context's threads. The error of the first entry that has one is thrown.
data::Dataset load_dataset(Context<Cpu>& context, const std::vector<io::ManifestEntry>& entries);

/// A model from a weight file or a checkpoint, with its normalisation and the peak settings that its training found.
template <class Device>
struct LoadedModel {
  std::unique_ptr<nn::Model<Device>> model;
  std::map<std::string, std::string> metadata;
  data::Normalization normalization{};
  detect::LocalMaxima peaks{};
  float full_response = 5;  ///< of a label's highest value: the peaks' full scale, also for files that do not name it

  /// Below it no threshold is sought.
  float least_floor() const { return train::kLeastThreshold * full_response; }
};
template <class Device>
LoadedModel<Device> load_model(Context<Device>& context, const std::string& path,
                               const ThresholdOptions& thresholds = {});

/// The rule of --components, whose threshold is one of the model's scores.
detect::ComponentCentroids regions_of(const ThresholdOptions& thresholds, detect::LocalMaxima peaks);

/// The model that comes with the program: models/nuclei-he.safetensors beside it, installed or in the source tree, or
/// what the environment's NUCDET_MODEL names. Throws IoError, saying where it was sought.
std::string default_model();

/// A line on stderr that is redrawn when stderr is a terminal, and else a plain line now and then.
class Progress {
 public:
  Progress(std::string what, std::int64_t total, std::int64_t done, bool quiet);
  ~Progress();
  /// `note` is shown at the end of the line.
  void update(std::int64_t done, const std::string& note);
  bool terminal() const { return terminal_; }

 private:
  std::string what_;
  std::int64_t total_, start_;
  bool quiet_, terminal_, drawn_ = false;
  std::chrono::steady_clock::time_point begin_, last_;
};

/// "1 h 02 min", "3 min 20 s", "12 s"
std::string duration_text(double seconds);

}  // namespace nucdet::program
