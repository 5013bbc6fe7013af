#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/io/metadata.hpp"

/// A model's normalisation as metadata of its weight file: `normalization` (fixed, image or tissue), and with constants
/// `normalization.mean` and `normalization.deviation`, a number a channel; of tissue also what counts as such.
namespace nucdet::io {

Metadata to_metadata(const data::Normalization& rule);

/// Files of 0.1.0 say in words, or not at all, that the whole image was taken. `where` is the file's name. Throws
/// IoError.
data::Normalization normalization_from(const Metadata& metadata, std::string_view where);

#ifdef NUCDET_INLINE

namespace detail {

inline std::string numbers_text(const std::vector<float>& numbers) {
  std::string text;
  for (const float v : numbers) text += (text.empty() ? "" : " ") + number_text(v);
  return text;
}

/// One number a channel under `key`, each from `least` to `most`.
inline std::vector<float> channel_numbers(const Metadata& metadata, const std::string& key, double least, double most,
                                          std::string_view where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) throw wrong_metadata(where, key, "missing", "a number a channel");
  const std::vector<double> numbers = numbers_in(found->second);
  const auto outside = [&](double v) { return v < least || v > most; };
  if (numbers.empty() || std::any_of(numbers.begin(), numbers.end(), outside))
    throw wrong_metadata(where, key, "'" + found->second + "'",
                         message("a number from ", least, " to ", most, " a channel"));
  return {numbers.begin(), numbers.end()};
}

/// One number under `key`, from 0 to `most`.
inline double bounded_number(const Metadata& metadata, const std::string& key, double otherwise, double most,
                             std::string_view where) {
  const double value = metadata_number(metadata, key, otherwise, where);
  if (value < 0 || value > most)
    throw wrong_metadata(where, key, "'" + metadata.at(key) + "'", message("a number from 0 to ", most));
  return value;
}

}  // namespace detail

NUCDET_INLINE Metadata to_metadata(const data::Normalization& rule) {
  Metadata m{{"normalization", data::name_of(rule)}};
  const data::ChannelStatistics* constants = nullptr;
  if (const auto* fixed = std::get_if<data::FixedNormalization>(&rule)) constants = &fixed->statistics;
  if (const auto* tissue = std::get_if<data::TissueNormalization>(&rule)) constants = &tissue->otherwise.statistics;
  if (constants != nullptr) {
    m["normalization.mean"] = detail::numbers_text(constants->mean);
    m["normalization.deviation"] = detail::numbers_text(constants->deviation);
  }
  if (const auto* tissue = std::get_if<data::TissueNormalization>(&rule)) {
    m["normalization.chroma"] = number_text(tissue->tissue.chroma);
    m["normalization.least"] = number_text(tissue->least);
  }
  return m;
}

NUCDET_INLINE data::Normalization normalization_from(const Metadata& metadata, std::string_view where) {
  const auto named = metadata.find("normalization");
  if (named == metadata.end() || named->second == "image" || named->second.starts_with("per channel, whole image"))
    return data::ImageNormalization{};
  if (named->second != "fixed" && named->second != "tissue")
    throw detail::wrong_metadata(where, "normalization", "'" + named->second + "'", "fixed, image or tissue");
  // Values are in [0, 1]; what is far beyond makes a network answer NaN, or nothing.
  constexpr double kMost = 1e6;
  data::FixedNormalization fixed{{detail::channel_numbers(metadata, "normalization.mean", -kMost, kMost, where),
                                  detail::channel_numbers(metadata, "normalization.deviation", 1e-6, kMost, where)}};
  if (fixed.statistics.mean.size() != fixed.statistics.deviation.size())
    throw detail::wrong_metadata(where, "normalization.deviation",
                                 message(fixed.statistics.deviation.size(), " numbers"),
                                 message(fixed.statistics.mean.size(), ", as many as means"));
  if (named->second == "fixed") return fixed;
  data::TissueNormalization tissue{.otherwise = std::move(fixed)};
  tissue.tissue.chroma = static_cast<float>(detail::bounded_number(
      metadata, "normalization.chroma", static_cast<double>(tissue.tissue.chroma), kMost, where));
  tissue.least = detail::bounded_number(metadata, "normalization.least", tissue.least, kMost, where);
  return tissue;
}

#endif

}  // namespace nucdet::io
