#pragma once
#include <filesystem>
#include <string>
#include <vector>

/// Images and the annotations of their names.
namespace nucdet::program {

struct Pair {
  std::filesystem::path image, annotations;
  std::string name;  ///< the image's path within its folder, with '/'
};

struct Pairs {
  std::vector<Pair> pairs;                         ///< in the order of the images' names
  std::vector<std::filesystem::path> images;       ///< that have no annotations
  std::vector<std::filesystem::path> annotations;  ///< that have no image
  std::vector<std::string> notes;                  ///< what was passed over or chosen
};

/// Pairs files by the sub-folder and name without endings, else by that name alone. Throws IoError where there are no
/// images, and for annotations of which nothing tells whose they are.
Pairs pair_files(const std::filesystem::path& images, const std::filesystem::path& annotations, bool recursive);

}  // namespace nucdet::program
