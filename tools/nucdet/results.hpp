#pragma once
#include <filesystem>
#include <vector>

#include "nucdet/io/csv.hpp"

/// Folders of results.
namespace nucdet::program {

/// Results are named after images: throws ArgumentError if two images have the same name.
void check_names(const std::vector<io::ManifestEntry>& entries);

}  // namespace nucdet::program
