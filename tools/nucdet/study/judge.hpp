#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "laboratory.hpp"

/// Trainings on several organs and what they gave, at thresholds that validation chose.
namespace nucdet::program::studies {

/// A way to train. On which organ and with which seed is asked of it.
struct Setting {
  std::string name;
  std::function<Training(const Organ& organ, std::uint64_t seed)> training;
};

/// What it gave on an organ's images.
struct Outcome {
  const Organ* organ = nullptr;
  std::uint64_t seed = 0;
  Trained trained;
  Validated validated;  ///< on the organ's own validation images
  Tested tested;
};

/// F1 over xi of the images of all of them together.
std::vector<metrics::CurvePoint> pooled(const std::vector<const Validated*>& organs);
/// The threshold at which it is highest; of equals the stricter one.
double chosen_xi(const std::vector<const Validated*>& organs);

using Measure = double (*)(const metrics::Score&);
inline double precision_of(const metrics::Score& s) { return s.precision(); }
inline double recall_of(const metrics::Score& s) { return s.recall(); }
inline double f1_of(const metrics::Score& s) { return s.f1(); }
inline double distance_of(const metrics::Score& s) { return s.distance_mean(); }

/// A setting on several organs.
struct Judged {
  std::string name;
  std::vector<Outcome> outcomes{};  ///< organ by organ
  /// Of each seed: chosen by the validation images of all organs together, so that one image's luck does not decide.
  std::map<std::uint64_t, double> xi{};

  const metrics::Score& score(const Outcome& outcome) const { return outcome.tested.at(xi.at(outcome.seed)); }
  /// The mean over seeds, of each organ, in their order; own: at each model's own thresholds.
  std::vector<double> by_organ(Measure measure, bool own = false) const;
  /// With each seed, in ascending order, and of each organ in their order.
  std::vector<std::vector<double>> by_seed(Measure measure) const;
  /// The threshold of each seed.
  std::vector<double> thresholds() const;
  /// On one organ with each seed.
  std::vector<double> on(const Organ& organ, Measure measure) const;
  std::vector<const Validated*> validated(std::uint64_t seed) const;
  /// F1 on the validation images of all organs at the chosen threshold, the first seed.
  double validation_f1() const;
};

/// Trains, organ by organ and within an organ in the order of the settings, and judges.
std::vector<Judged> judge(Laboratory& laboratory, const std::vector<const Organ*>& organs,
                          const std::vector<Setting>& settings, const std::vector<std::uint64_t>& seeds);

/// One model a seed, the same for all organs of `home`, on organs of another data set, which choose nothing: thresholds
/// are those of home.
Judged judge_elsewhere(Laboratory& laboratory, const Judged& home, const std::vector<const Organ*>& organs);

}  // namespace nucdet::program::studies
