#pragma once
#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <sstream>
#include <string>

#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/train/checkpoint.hpp"
#include "nucdet/train/thresholds.hpp"

#include "commands.hpp"
#include "progress.hpp"
#include "run_log.hpp"

/// What a training leaves behind.
namespace nucdet::program {

/// Writes the log, the best weights and, last, the checkpoint, after each validation.
template <class Trainer>
class Recorder {
 public:
  Recorder(Trainer& trainer, const TrainOptions& options, const io::Metadata& metadata,
           const train::ThresholdSearch& search, RunLog& log)
      : trainer_(trainer),
        options_(options),
        metadata_(metadata),
        search_(search),
        log_(log),
        progress_("iteration", options.iterations, trainer.state().iteration, options.quiet) {}

  void on_step(const train::StepReport& report) {
    log_.add(report);
    mean_ = mean_ == 0 ? report.loss : 0.98 * mean_ + 0.02 * report.loss;
    std::ostringstream note;
    note << std::setprecision(4) << "loss " << mean_ << "  rate " << report.rate << "  " << std::fixed
         << std::setprecision(1) << static_cast<double>(report.images) / report.seconds << " images/s";
    progress_.update(report.iteration, note.str());
  }
  void on_weights(const train::Validation& found) const {
    const std::filesystem::path folder = options_.out;
    if (found.best) save(folder / "best.safetensors", found);
    if (options_.snapshot_every > 0 && found.iteration % options_.snapshot_every == 0)
      save(folder / message("snapshot-", found.iteration, ".safetensors"), found);
  }
  void on_validation(const train::Validation& found) {
    const std::filesystem::path folder = options_.out;
    log_.add(found);
    log_.write(folder);
    io::Metadata checkpoint = metadata_;
    add_thresholds(checkpoint, found);
    train::save_checkpoint(folder / "last.safetensors", trainer_, checkpoint);
    if (!options_.quiet) say(found);
  }

 private:
  static std::string shown(double value) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(4) << value;
    return text.str();
  }
  /// Weights, with the thresholds that go with them.
  void save(const std::filesystem::path& path, const train::Validation& found) const {
    io::Metadata weights = metadata_;
    add_thresholds(weights, found);
    weights["train.iteration"] = std::to_string(found.iteration);
    weights["validation.f1"] = io::number_text(found.f1), weights["validation.loss"] = io::number_text(found.loss);
    weights["validation.worst"] = io::number_text(found.worst);
    if (found.sets.size() > 1)
      for (const auto& [set, f1] : found.sets) weights["validation.f1." + set] = io::number_text(f1);
    io::save_weights(path, trainer_.model(), weights);
  }
  void add_thresholds(io::Metadata& m, const train::Validation& found) const {
    detect::LocalMaxima peaks = search_.peaks;
    peaks.relative = found.xi, peaks.absolute = static_cast<float>(found.floor);
    io::write_peaks(peaks, m);
  }
  void say(const train::Validation& found) const {
    std::string sets;
    if (found.sets.size() > 1)
      for (const auto& [set, f1] : found.sets) sets += message(sets.empty() ? "  (" : ", ", set, ' ', shown(f1));
    if (found.class_f1 >= 0) sets += message(sets.empty() ? "  (" : ", ", "classes ", shown(found.class_f1));
    std::fprintf(stderr, "%siteration %lld  validation loss %.5f  F1 %.4f%s at threshold %.2f%s%s\n",
                 progress_.terminal() ? "\r\033[K" : "", static_cast<long long>(found.iteration), found.loss, found.f1,
                 (sets.empty() ? sets : sets + ")").c_str(),
                 found.floor / static_cast<double>(search_.peaks.full_scale),
                 found.xi > 0 ? message(", xi ", found.xi).c_str() : "", found.best ? "  (best)" : "");
  }

  Trainer& trainer_;
  const TrainOptions& options_;
  const io::Metadata& metadata_;
  const train::ThresholdSearch& search_;
  RunLog& log_;
  Progress progress_;
  double mean_ = 0;
};

}  // namespace nucdet::program
