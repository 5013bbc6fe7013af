#pragma once
#include <filesystem>

namespace nucdet::io {

/// Whether a file says of itself that nucdet made it: detections (CSV, JSON, GeoJSON) and pictures drawn of them. Looks
/// at its first 4 kB. False for what is not there or cannot be read.
bool made_by_nucdet(const std::filesystem::path& path);

}  // namespace nucdet::io
