#pragma once
#include <string>
#include <vector>

#include "../commands.hpp"

namespace nucdet::program::studies {

/// How large a study is: the paper's size, or the smallest that still shows the effect.
struct Budget {
  std::string name;
  models::TrainingConfiguration training{};  ///< from scratch
  models::TrainingConfiguration tuning{};  ///< fine-tuning, and what it is compared with: a constant rate, so that any
                                           ///< moment of one run is a result
  models::TrainingConfiguration together{};  ///< from scratch on all organs at once
  std::int64_t base_snapshots = 0;           ///< iterations between the snapshots of a base model (Fig. 5, third row)
  std::int64_t base_stages = 0;              ///< how many of them are tuned
  int width = 32;                            ///< filters of MicroNet's first block; other networks in proportion
  int rival_seeds = 1;       ///< of MicroNet and its two closest rivals in the baseline, where seeds are not asked for
  bool all_targets = false;  ///< every organ is a target, not three that are drawn: differences are over organs
  std::vector<double> multi_sources{};  ///< shares of all other organs that gamma is tried with
  std::vector<double> target_shares{}, auxiliary_shares{}, mixed_shares{};
  std::vector<int> frozen_blocks{};
  std::vector<double> gammas{}, lambdas{};
};

/// Throws ArgumentError for a name other than full, overnight and cpu.
Budget budget_of(const std::string& name);

}  // namespace nucdet::program::studies
