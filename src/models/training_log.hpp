#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nucdet/io/metadata.hpp"
#include "nucdet/train/state.hpp"

/// The record of a training run: log.csv for scripts, loss.svg for people. Kept in memory and written whole, so that a
/// run that was killed and resumed leaves the record of one that was not.
namespace nucdet::models {

class TrainingLog {
 public:
  struct Row {
    std::int64_t iteration = 0;
    double loss = 0, rate = 0, gradient_norm = 0;  ///< means since the row before; NaN if there was no step
    std::optional<train::Validation> validation;
  };

  /// Rows every `every` iterations, and at each validation. full_scale: the response that scores 1. classes: there are
  /// some to tell the F1 of.
  TrainingLog(std::int64_t every, double full_scale, bool classes)
      : every_(every), full_scale_(full_scale), classes_(classes) {}

  /// Takes over the rows of an earlier run up to an iteration, and the steps of its unfinished row from its checkpoint.
  /// A missing file is an empty record.
  void resume(const std::filesystem::path& csv, std::int64_t iteration, const io::Metadata& checkpoint);
  /// The unfinished row, for a checkpoint between two rows; nothing at the end of a row.
  void write_unfinished(io::Metadata& checkpoint) const;
  void add(const train::StepReport& report);
  void add(const train::Validation& validation);
  void write(const std::filesystem::path& folder) const;

 private:
  std::string header() const;
  void close_row(std::int64_t iteration);

  std::int64_t every_;
  double full_scale_;
  bool classes_;
  std::vector<Row> rows_;
  double loss_ = 0, rate_ = 0, norm_ = 0;
  std::int64_t steps_ = 0;
};

}  // namespace nucdet::models
