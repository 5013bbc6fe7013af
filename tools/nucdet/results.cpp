#include "results.hpp"

#include <set>

#include "nucdet/core/error.hpp"

namespace nucdet::program {

void check_names(const std::vector<io::ManifestEntry>& entries) {
  std::set<std::string> names;
  for (const io::ManifestEntry& e : entries)
    if (const std::string name = e.image.stem().string(); !names.insert(name).second)
      throw ArgumentError(message("two images are called '", name, "': their results would overwrite each other"));
}

}  // namespace nucdet::program
