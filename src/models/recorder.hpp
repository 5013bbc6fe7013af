#pragma once
#include <filesystem>
#include <string>

#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/models/training.hpp"
#include "nucdet/train/checkpoint.hpp"
#include "nucdet/train/thresholds.hpp"

#include "training_log.hpp"
#include "training_metadata.hpp"

/// What a training leaves behind.
namespace nucdet::models {

/// Writes the log, the best weights and, last, the checkpoint, after each validation; the checkpoint after a stop, too.
template <class Trainer>
class Recorder {
 public:
  /// writes: false for the ranks that leave the files to the first one.
  Recorder(Trainer& trainer, const TrainingConfiguration& options, const io::Metadata& metadata,
           const detect::LocalMaxima& peaks, TrainingLog& log, const TrainingWatch& watch, bool writes)
      : trainer_(trainer),
        options_(options),
        metadata_(metadata),
        peaks_(peaks),
        log_(log),
        watch_(watch),
        writes_(writes) {}

  void on_step(const train::StepReport& report) {
    log_.add(report);
    if (watch_.on_step) watch_.on_step(report);
  }
  void on_weights(const train::Validation& found) {
    take_thresholds(found);
    if (!writes_) return;
    if (found.best) save(folder() / "best.safetensors", found);
    if (options_.snapshot_every > 0 && found.iteration % options_.snapshot_every == 0)
      save(folder() / message("snapshot-", found.iteration, ".safetensors"), found);
  }
  void on_validation(const train::Validation& found) {
    log_.add(found);
    checkpoint();
    if (watch_.on_validation) watch_.on_validation(found);
  }
  bool stop_requested() const { return watch_.stop.stop_requested(); }

  /// Everything that goes on from here needs.
  void checkpoint() const {
    if (!writes_) return;
    log_.write(folder());
    io::Metadata kept = metadata_;
    io::write_peaks(peaks_, kept);
    log_.write_unfinished(kept);
    train::save_checkpoint(folder() / "last.safetensors", trainer_, kept);
  }

 private:
  std::filesystem::path folder() const { return options_.out; }
  /// Weights, with the thresholds that go with them.
  void save(const std::filesystem::path& path, const train::Validation& found) const {
    io::Metadata weights = metadata_;
    std::erase_if(weights, [](const auto& entry) { return entry.first.starts_with(kDataImages); });
    io::write_peaks(peaks_, weights);
    weights["train.iteration"] = std::to_string(found.iteration);
    weights["validation.f1"] = io::number_text(found.f1), weights["validation.loss"] = io::number_text(found.loss);
    weights["validation.worst"] = io::number_text(found.worst);
    if (found.sets.size() > 1)
      for (const auto& [set, f1] : found.sets) weights["validation.f1." + set] = io::number_text(f1);
    io::save_weights(path, trainer_.model(), weights);
  }
  void take_thresholds(const train::Validation& found) {
    peaks_.relative = found.xi, peaks_.absolute = static_cast<float>(found.floor);
  }

  Trainer& trainer_;
  const TrainingConfiguration& options_;
  const io::Metadata& metadata_;
  detect::LocalMaxima peaks_;  ///< with the latest validation's thresholds
  TrainingLog& log_;
  const TrainingWatch& watch_;
  bool writes_;
};

}  // namespace nucdet::models
