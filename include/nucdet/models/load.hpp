#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "nucdet/detect/detector.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/models/thresholds.hpp"
#include "nucdet/nn/model.hpp"
#include "nucdet/train/thresholds.hpp"

/// Models and detectors from weight files, without naming the network's type: the file knows it.
namespace nucdet::models {

/// A model with everything that detection needs besides the image.
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

/// Reads weights or a checkpoint, as `nucdet train` wrote them, version 0.1.0
/// included. Throws IoError, naming the file and what is wrong with it, and ArgumentError for a threshold out of range.
template <class Device>
LoadedModel<Device> load_model(Context<Device>& context, const std::filesystem::path& path,
                               const Thresholds& thresholds = {});
/// The same of a file in memory (io::parse_safetensors), which errors call `where`.
template <class Device>
LoadedModel<Device> load_model(Context<Device>& context, const io::SafeTensorFile& file, const std::string& where,
                               const Thresholds& thresholds = {});

/// How a loaded detector looks at images.
struct DetectorOptions {
  Thresholds thresholds{};
  detect::TileGrid tiles{};
  detect::Averaging averaging{};
};

/// A detector that owns its weights, with the file's normalisation and thresholds. Throws as load_model does, and
/// ArgumentError for tiles that do not fit the network.
template <class Device>
detect::Detector<Device> load_detector(Context<Device>& context, const std::filesystem::path& path,
                                       const DetectorOptions& options = {});

}  // namespace nucdet::models
