#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "nucdet/io/csv.hpp"

namespace nucdet::io::detail {

/// The images of a folder with the annotations that lie beside them or in ../annotations.
std::vector<ManifestEntry> list_folder(const std::filesystem::path& folder, const FolderOptions& options,
                                       std::vector<std::string>* notes);

}  // namespace nucdet::io::detail
