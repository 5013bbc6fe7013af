#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ledger.hpp"
#include "store.hpp"

/// Where a study trains and tests. Everything is done once: what a folder already holds, from this study or another,
/// from this run or one that was killed, is read.
namespace nucdet::program::studies {

/// What a call does of what a study needs.
enum class Work {
  all,    ///< everything
  shard,  ///< its part of the trainings; of the others it knows what is there
  test,   ///< no trainings; what is trained is tested
  look    ///< nothing: what is there is listed, and what is not
};

struct Trained {
  std::filesystem::path folder;
  bool known = true;    ///< false: not trained yet, and not by this call
  std::string failure;  ///< why training could not go on (the loss exploded) or begin (that of its base did), or empty
  double validation_f1 = 0;

  bool usable() const { return known && failure.empty(); }
  std::filesystem::path weights() const { return folder / "best.safetensors"; }
  std::filesystem::path snapshot(std::int64_t iteration) const {
    return folder / message("snapshot-", iteration, ".safetensors");
  }
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
  /// Initial weights are those of another training of this laboratory: where it failed, or ended before it came to
  /// them, this one fails too.
  virtual Trained train(const Training& training) = 0;
  /// Scores of weights of a training: all missed where it is not usable.
  virtual Validated validate(const Trained& trained, const std::filesystem::path& weights, const PartPtr& part) = 0;
  virtual Tested test(const Trained& trained, const std::filesystem::path& weights, const TestPart& part) = 0;
  /// How often there was no answer: remembered before results are asked that decide how the study goes on...
  virtual std::size_t unknown() const = 0;
  /// ...and asked about here, before they do. Throws Undecided, naming what was to be decided; a call that trains
  /// nothing goes on with any choice.
  virtual void decide(std::size_t unknown_before, const std::string& what) = 0;
  virtual const Ledger& ledger() const = 0;

  virtual Cost cost(const models::NetworkChoice& network) = 0;
  /// Of a forward pass over 512 x 512 pixels.
  virtual double gflop(const models::NetworkChoice& network) = 0;
  /// The blocks that may be frozen, from the input on: all but those that make the output of the others (in MicroNet's
  /// numbering the tenth, to which the context maps belong).
  virtual std::vector<std::string> blocks(const models::NetworkChoice& network) = 0;
};

struct LaboratoryOptions {
  std::filesystem::path out;  ///< models and tests are kept in it
  Work work = Work::all;
  Shard shard{};
  bool quiet = false;
  std::string device{};  ///< what trainings are recorded to be made by: device and kernels
};

/// A laboratory on the context's device. A signal (see Interrupt) ends a training with a checkpoint, as Stopped.
template <class Device>
std::unique_ptr<Laboratory> make_laboratory(Context<Device>& context, const LaboratoryOptions& options);

}  // namespace nucdet::program::studies
