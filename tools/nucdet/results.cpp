#include "results.hpp"

#include <set>
#include <system_error>

#include "nucdet/core/error.hpp"

namespace nucdet::program {

void check_names(const std::vector<io::ManifestEntry>& entries) {
  std::set<std::string> names;
  for (const io::ManifestEntry& e : entries)
    if (const std::string name = e.image.stem().string(); !names.insert(name).second)
      throw ArgumentError(message("two images are called '", name, "': their results would overwrite each other"));
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw IoError(message(folder.string(), ": cannot be made: ", error.message()));
}

}  // namespace nucdet::program
