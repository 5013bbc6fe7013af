#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "nucdet/io/json.hpp"
#include "nucdet/metrics/curve.hpp"

#include "../commands.hpp"
#include "parts.hpp"

/// What a study keeps, under what it was made from.
namespace nucdet::program::studies {

struct Training {
  std::string label;  ///< begins the folder's name: "micronet-8 kidney"
  models::TrainingConfiguration
      options;  ///< network, protocol, seed, frozen blocks; where data comes from is not looked at
  PartPtr target, validation, auxiliary;  ///< auxiliary: null for none
};

struct Scores {
  metrics::Score score;                    ///< at the model's own thresholds, which its validation found
  std::vector<metrics::CurvePoint> curve;  ///< over xi

  /// At a xi of the curve. Throws ArgumentError for one that is not on it.
  const metrics::Score& at(double xi) const;
};
/// Scores on images that were not trained on and are not tested on: choices are made of these.
struct Validated : Scores {};
/// Scores on test images: they are reported.
struct Tested : Scores {};

/// The folders out/models and out/tests. Everything is kept by its content: settings, seed, pixels, points, weights to
/// start from.
class Store {
 public:
  Store(const std::filesystem::path& out, std::string precision)
      : models_(out / "models"), tests_(out / "tests"), precision_(std::move(precision)) {}

  /// Everything that decides what a training gives.
  io::JsonRecord record_of(const Training& training) const;
  std::filesystem::path folder_of(const Training& training) const;
  /// Where the scores of weights on a part are.
  std::filesystem::path scores_of(const std::filesystem::path& weights, const Part& part) const;

 private:
  std::filesystem::path models_, tests_;
  std::string precision_;
};

/// Is all of a training there? Its record is written last.
bool is_trained(const std::filesystem::path& folder);
/// Seconds that a finished training took, over all its runs; 0 if that is not known.
double seconds_of(const std::filesystem::path& folder);
/// F1 of a finished training's best weights on its validation images; 0 if it failed. Tables need no weights, so that
/// the records and tests of a study can be kept, and its tables made, without them.
double validation_f1_of(const std::filesystem::path& folder);
/// What a finished training was ended by, "cpu, avx2"; empty if that is not known. It is no part of the key: a study
/// goes on with what another machine has trained.
std::string device_of(const std::filesystem::path& folder);

void write_scores(const std::filesystem::path& path, const Scores& scores);
/// Throws IoError for a file that is not such a table.
Scores read_scores(const std::filesystem::path& path);

/// All nuclei missed: of a training that failed, or whose result is not known.
Scores no_scores(const Part& part);

}  // namespace nucdet::program::studies
