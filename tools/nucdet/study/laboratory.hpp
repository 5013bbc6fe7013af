#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/metrics/curve.hpp"

#include "../commands.hpp"
#include "parts.hpp"

/// Where a study trains and tests. Everything is done once: what a folder already holds, from this study or another,
/// from this run or one that was killed, is read.
namespace nucdet::program::studies {

struct Training {
  std::string label;  ///< begins the folder's name: "micronet-8 kidney"
  models::TrainingConfiguration
      options;  ///< network, protocol, seed, frozen blocks; where data comes from is not looked at
  PartPtr target, validation, auxiliary;  ///< auxiliary: null for none
};

struct Trained {
  std::filesystem::path folder;
  std::string failure;  ///< why training could not go on (the loss exploded), or empty
  double validation_f1 = 0;

  std::filesystem::path weights() const { return folder / "best.safetensors"; }
  std::filesystem::path snapshot(std::int64_t iteration) const {
    return folder / message("snapshot-", iteration, ".safetensors");
  }
};

struct Tested {
  metrics::Score score;                    ///< at the thresholds that validation found
  std::vector<metrics::CurvePoint> curve;  ///< over xi
};

/// What a network costs on 512 x 512 pixels.
struct Cost {
  Index parameters = 0;
  double gflop = 0, milliseconds = 0;
};

class Laboratory {
 public:
  virtual ~Laboratory() = default;
  virtual Context<Cpu>& host() = 0;
  virtual Trained train(const Training& training) = 0;
  virtual Tested test(const std::filesystem::path& weights, const Part& part) = 0;
  virtual Cost cost(const models::NetworkChoice& network) = 0;
  /// The blocks that may be frozen, from the input on: all but those that make the output of the others (in MicroNet's
  /// numbering the tenth, to which the context maps belong).
  virtual std::vector<std::string> blocks(const models::NetworkChoice& network) = 0;
};

/// A laboratory on the context's device, which keeps what it makes in out/models and out/tests.
template <class Device>
std::unique_ptr<Laboratory> make_laboratory(Context<Device>& context, const std::filesystem::path& out, bool quiet);

}  // namespace nucdet::program::studies
