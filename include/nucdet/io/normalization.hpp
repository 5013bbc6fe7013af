#pragma once
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "nucdet/data/normalization.hpp"

/// A model's normalisation as metadata of its weight file: `normalization` (fixed, image or tissue), and with constants
/// `normalization.mean` and `normalization.deviation`, a number a channel.
namespace nucdet::io {

namespace detail {

inline std::string numbers_text(const std::vector<float>& numbers) {
  std::string text;
  for (const float v : numbers) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    text += (text.empty() ? "" : " ") + std::string(buffer, end);
  }
  return text;
}

inline std::vector<float> numbers_of(const std::map<std::string, std::string>& metadata, const std::string& key,
                                     const std::string& where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) throw IoError(message(where, ": the file's metadata has no '", key, "'"));
  std::vector<float> numbers;
  const char *at = found->second.data(), *const end = at + found->second.size();
  while (at != end) {
    float value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || !std::isfinite(value))
      throw IoError(message(where, ": metadata '", key, "' is '", found->second, "', wanted finite numbers"));
    numbers.push_back(value);
    for (at = next; at != end && *at == ' '; ++at) {}
  }
  return numbers;
}

}  // namespace detail

inline std::map<std::string, std::string> to_metadata(const data::Normalization& rule) {
  std::map<std::string, std::string> m{{"normalization", data::name_of(rule)}};
  const data::ChannelStatistics* constants = nullptr;
  if (const auto* fixed = std::get_if<data::FixedNormalization>(&rule)) constants = &fixed->statistics;
  if (const auto* tissue = std::get_if<data::TissueNormalization>(&rule)) constants = &tissue->otherwise.statistics;
  if (constants != nullptr) {
    m["normalization.mean"] = detail::numbers_text(constants->mean);
    m["normalization.deviation"] = detail::numbers_text(constants->deviation);
  }
  return m;
}

/// Files of 0.1.0 say in words, or not at all, that the whole image was taken. Throws IoError, naming `where`.
inline data::Normalization normalization_from(const std::map<std::string, std::string>& metadata,
                                              const std::string& where) {
  const auto named = metadata.find("normalization");
  if (named == metadata.end() || named->second == "image" || named->second.starts_with("per channel, whole image"))
    return data::ImageNormalization{};
  if (named->second != "fixed" && named->second != "tissue")
    throw IoError(message(where, ": normalization is '", named->second, "', wanted fixed, image or tissue"));
  data::FixedNormalization fixed{{detail::numbers_of(metadata, "normalization.mean", where),
                                  detail::numbers_of(metadata, "normalization.deviation", where)}};
  const auto& [mean, deviation] = fixed.statistics;
  if (mean.empty() || mean.size() != deviation.size() || *std::min_element(deviation.begin(), deviation.end()) <= 0)
    throw IoError(message(where, ": normalization has ", mean.size(), " means and ", deviation.size(),
                          " deviations, wanted as many of both, the deviations above 0"));
  if (named->second == "tissue") return data::TissueNormalization{.otherwise = std::move(fixed)};
  return fixed;
}

}  // namespace nucdet::io
