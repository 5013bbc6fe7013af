#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "nucdet/train/state.hpp"

/// The record of a training run: log.csv for scripts, loss.svg for people. Kept in memory and written whole, so that a
/// run that was killed and resumed leaves the record of one that was not.
namespace nucdet::program {

class RunLog {
 public:
  struct Row {
    std::int64_t iteration = 0;
    double loss = 0, rate = 0, gradient_norm = 0;  ///< means since the row before; NaN if there was no step
    std::optional<train::Validation> validation;
  };

  /// Rows every `every` iterations, and at each validation. full_scale: the response that scores 1.
  RunLog(std::int64_t every, double full_scale) : every_(every), full_scale_(full_scale) {}

  /// Takes over the rows of an earlier run up to an iteration. A missing file is an empty record.
  void resume(const std::filesystem::path& csv, std::int64_t iteration);
  void add(const train::StepReport& report);
  void add(const train::Validation& validation);
  void write(const std::filesystem::path& folder) const;

 private:
  void close_row(std::int64_t iteration);

  std::int64_t every_;
  double full_scale_;
  std::vector<Row> rows_;
  double loss_ = 0, rate_ = 0, norm_ = 0;
  std::int64_t steps_ = 0;
};

}  // namespace nucdet::program
