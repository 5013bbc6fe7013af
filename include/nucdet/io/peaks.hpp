#pragma once
#include "nucdet/core/config.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/io/metadata.hpp"

/// How a model's peaks become nuclei, in its weight file's metadata: `peaks.threshold` (in units of the scores),
/// `peaks.full_scale`, `peaks.xi`, `peaks.radius`, `peaks.smoothing`.
namespace nucdet::io {

/// Adds the settings, in place of those that are there.
void write_peaks(const detect::LocalMaxima& peaks, Metadata& metadata);

/// The settings of a file; for those that it lacks, the defaults. A file without `peaks.full_scale` is of version 0.1:
/// its scores are responses, its threshold is one of those (`peaks.floor`), and its defaults are that version's.
/// `where` is the file's name. Throws IoError, naming file and entry, for what is no number or out of range.
detect::LocalMaxima peaks_from(const Metadata& metadata, std::string_view where);

#ifdef NUCDET_INLINE

NUCDET_INLINE void write_peaks(const detect::LocalMaxima& peaks, Metadata& metadata) {
  std::erase_if(metadata, [](const auto& entry) { return entry.first.starts_with("peaks."); });
  metadata["peaks.threshold"] = number_text(peaks.threshold());
  metadata["peaks.full_scale"] = number_text(peaks.full_scale);
  metadata["peaks.xi"] = number_text(peaks.relative);
  metadata["peaks.radius"] = std::to_string(peaks.radius);
  metadata["peaks.smoothing"] = number_text(peaks.smoothing);
}

NUCDET_INLINE detect::LocalMaxima peaks_from(const Metadata& metadata, std::string_view where) {
  const auto number = [&](const std::string& key, double otherwise, double least, double most,
                          std::string_view wanted) {
    const double value = metadata_number(metadata, key, otherwise, where);
    if (!(value >= least && value <= most))
      throw detail::wrong_metadata(where, key, "'" + metadata.at(key) + "'", wanted);
    return value;
  };
  detect::LocalMaxima peaks;
  const double radius =
      number("peaks.radius", static_cast<double>(peaks.radius), 1, 1000, "a whole number from 1 to 1000");
  if (radius != std::floor(radius))
    throw detail::wrong_metadata(where, "peaks.radius", "'" + metadata.at("peaks.radius") + "'",
                                 "a whole number from 1 to 1000");
  peaks.radius = static_cast<Index>(radius);
  peaks.smoothing = number("peaks.smoothing", peaks.smoothing, 0, 100, "a number from 0 to 100");
  constexpr double kMost = 1e15;
  if (!metadata.contains("peaks.full_scale")) {
    peaks.full_scale = 0;
    peaks.relative = number("peaks.xi", 0.4, 0, 1, "a number from 0 to 1");
    peaks.set_threshold(number("peaks.floor", 0.2, 0, kMost, "a number of at least 0"));
    return peaks;
  }
  peaks.full_scale = static_cast<float>(number("peaks.full_scale", 0, 0, kMost, "a number of at least 0"));
  peaks.relative = number("peaks.xi", peaks.relative, 0, 1, "a number from 0 to 1");
  peaks.set_threshold(number("peaks.threshold", 0.3, 0, kMost, "a number of at least 0"));
  return peaks;
}

#endif

}  // namespace nucdet::io
