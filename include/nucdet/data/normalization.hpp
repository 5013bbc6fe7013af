#pragma once
#include <string>
#include <variant>

#include "nucdet/core/config.hpp"
#include "nucdet/data/normalization/fixed.hpp"
#include "nucdet/data/normalization/image.hpp"
#include "nucdet/data/normalization/tissue.hpp"

namespace nucdet::data {

/// Where an image's statistics come from: a name, and a call that takes the image on any device.
template <class N>
concept NormalizationRule = requires(const N& rule, Context<Cpu>& context, View<const float> image) {
  { N::kName } -> std::convertible_to<std::string>;
  { rule(context, image) } -> std::same_as<ChannelStatistics>;
};

static_assert(NormalizationRule<FixedNormalization> && NormalizationRule<ImageNormalization> &&
              NormalizationRule<TissueNormalization>);

/// The rule of a model: a part of its weight file. By default constants.
using Normalization = std::variant<FixedNormalization, ImageNormalization, TissueNormalization>;

std::string name_of(const Normalization& rule);

/// What an image [1, H, W, C] of values in [0, 1] is normalised with.
template <class D>
ChannelStatistics statistics_of(Context<D>& context, const Normalization& rule, View<const float> image) {
  return std::visit([&](const auto& r) { return r(context, image); }, rule);
}

#ifdef NUCDET_INLINE

NUCDET_INLINE std::string name_of(const Normalization& rule) {
  return std::visit([](const auto& r) { return std::string(r.kName); }, rule);
}

#endif

}  // namespace nucdet::data
