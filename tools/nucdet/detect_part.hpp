#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "nucdet/core/area_index.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/io/picture.hpp"

#include "commands.hpp"
#include "inputs.hpp"

/// Which part of an image `detect` looks at, and where in it nuclei count.
namespace nucdet::program {

/// --region, or all of an image of this size. Throws IoError for a region that is not in it.
detect::Rectangle region_of(const DetectOptions& options, const std::string& where, Index width, Index height);

/// What --areas says of an image: the file that was named, or that of its name in the folder that was named. Throws
/// IoError if the folder has none.
std::optional<std::filesystem::path> areas_file(const std::string& areas, const Input& input);
/// The areas in it. Throws IoError if there are none.
Areas areas_in(const std::filesystem::path& file);

/// Where nuclei count, in the image's pixels.
struct Counted {
  detect::Rectangle core{};
  AreasIndex areas{};

  bool operator()(Point p) const { return core.holds(p.x + 0.5, p.y + 0.5) && areas.count(p); }

  /// Pixels that count, by a look at a million of them, evenly apart.
  double pixels() const;
};

}  // namespace nucdet::program
