#pragma once
#include <filesystem>
#include <vector>

#include "scored.hpp"

namespace nucdet::program::evaluation {

/// The pictures of --overlays: of an image one, of a slide one of each region where nuclei count. Throws IoError.
std::vector<std::filesystem::path> overlay_files(const EvaluateOptions& options, const Input& input);

/// Writes them, with hits, false alarms and misses. What cannot be drawn, a slide without regions or a region that is
/// too large, is said. Throws IoError.
void write_overlays(const EvaluateOptions& options, const std::vector<Scored>& images, const Thresholds& use,
                    const ChosenMatcher& matcher, const ClassNames& classes);

}  // namespace nucdet::program::evaluation
