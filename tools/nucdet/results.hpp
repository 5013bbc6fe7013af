#pragma once
#include <filesystem>
#include <vector>

#include "nucdet/io/csv.hpp"

/// Folders of results.
namespace nucdet::program {

/// Results are named after images: throws ArgumentError if two images have the same name.
void check_names(const std::vector<io::ManifestEntry>& entries);

/// Makes a folder for results. Throws IoError.
void make_folder(const std::filesystem::path& folder);

}  // namespace nucdet::program
