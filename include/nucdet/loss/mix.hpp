#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"

namespace nucdet::loss {

/// Where a training sample comes from: the data set that the detector is for, or another that helps.
enum class Origin : std::uint8_t { target, auxiliary };

/// Sample weights with which `evaluate` gives the mix of two data sources [Xing 2019, dataset balancing],
///   L = gamma L_T + L_A,
/// L_T and L_A being the means over the target and over the auxiliary samples of the batch. With N samples, N_T of them
/// target: a target sample weighs gamma N / N_T, an auxiliary one N / N_A. A batch that lacks one source has the other
/// term alone: all target gives gamma L_T, all auxiliary L_A; an empty batch gives no weights.
/// Throws ArgumentError unless 0 <= gamma <= 1e6.
std::vector<float> mix_weights(std::span<const Origin> origins, double gamma);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<float> mix_weights(std::span<const Origin> origins, double gamma) {
  if (!(gamma >= 0 && gamma <= 1e6))
    throw ArgumentError(message("loss::mix_weights: gamma is ", gamma, ", must be in [0, 1e6]"));
  const double samples = static_cast<double>(origins.size());
  const double targets = static_cast<double>(std::count(origins.begin(), origins.end(), Origin::target));
  std::vector<float> weights;
  weights.reserve(origins.size());
  for (const Origin origin : origins)
    weights.push_back(
        static_cast<float>(origin == Origin::target ? gamma * samples / targets : samples / (samples - targets)));
  return weights;
}

#endif

}  // namespace nucdet::loss
