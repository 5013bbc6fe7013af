#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "nucdet/io/file_lock.hpp"
#include "nucdet/io/json.hpp"

#include "commands.hpp"
#include "device.hpp"
#include "inputs.hpp"
#include "run_report.hpp"

/// What `detect` does about many images that several processes share.
namespace nucdet::program {

/// The shard of this call: what was asked for, else that of the task in an array of Slurm, which is said. All where
/// there is one image. Throws ArgumentError.
Shard shard_of(const DetectOptions& options, std::size_t images);

/// Leaves the shard's.
void keep_shard(std::vector<Input>& inputs, const Shard& shard);

/// The right to write an image's results; nothing if another process has it. Throws IoError.
std::optional<io::FileLock> lock_results(const DetectOptions& options, const Input& input);

/// By what an image and what is made of it are known again; empty where it cannot be read.
struct ResultKey {
  std::string input{};
  std::string results{};  ///< by all that was asked for; what computes is not asked, but for its precision
  std::string journal{};  ///< by all that the nuclei's bits depend on, and not by how files show them
};

/// Throws IoError.
ResultKey key_of(const DetectOptions& options, const Input& input, const io::DetectionReport& settings,
                 const ChosenDevice& device);

/// Records of a call's images.
class RunRecorder {
 public:
  RunRecorder(const DetectOptions& options, const Shard& shard, const io::DetectionReport& settings);

  /// Work on an image begins.
  void begin();
  void done(const Input& input, const ResultKey& key, const io::SummaryRow& row);
  void failed(const Input& input, const ResultKey& key, const std::string& error);
  /// Its results were there, and say what was found.
  void skipped(const Input& input, const ResultKey& key, bool corrected = false);

 private:
  ImageRecord record_of(const Input& input, const ResultKey& key) const;

  const DetectOptions& options_;
  RunReport report_;
  std::string shard_, host_, device_, started_{};
  std::chrono::steady_clock::time_point begin_{};
  std::vector<std::string> classes_;
};

}  // namespace nucdet::program
