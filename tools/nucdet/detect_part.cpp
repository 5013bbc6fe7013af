#include "detect_part.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/core/error.hpp"
#include "nucdet/io/annotations.hpp"

namespace nucdet::program {

namespace fs = std::filesystem;
using detect::Rectangle;

std::optional<fs::path> areas_file(const std::string& areas, const Input& input) {
  if (areas.empty()) return std::nullopt;
  if (!fs::is_directory(areas)) return areas;
  static constexpr std::string_view kEndings[] = {".geojson", ".geojson.gz", ".json"};
  if (const auto file = file_called(areas, input, kEndings)) return file;
  throw IoError(message(areas, ": no areas for ", input.name.generic_string(), ", wanted ", input.name.generic_string(),
                        ".geojson"));
}

Areas areas_in(const fs::path& file) {
  Areas areas = io::read_annotations(file).areas;
  if (areas.everywhere())
    throw IoError(message(file.string(), ": holds no areas, wanted polygons of the class Region* (or ROI) or Ignore*"));
  return areas;
}

Rectangle region_of(const DetectOptions& o, const std::string& where, Index width, Index height) {
  if (o.region.empty()) return {0, 0, width, height};
  const Rectangle r{o.region[0], o.region[1], o.region[2], o.region[3]};
  if (r.x < 0 || r.y < 0 || r.width < 1 || r.height < 1 || r.x + r.width > width || r.y + r.height > height)
    throw IoError(message(where, ": --region ", r.x, ',', r.y, ',', r.width, ',', r.height, " is not in the image of ",
                          width, 'x', height, " pixels"));
  return r;
}

double Counted::pixels() const {
  constexpr double kMostLooks = 1e6;
  const double all = static_cast<double>(core.width) * static_cast<double>(core.height);
  if (areas.everywhere()) return all;
  const Index step = std::max<Index>(1, static_cast<Index>(std::sqrt(all / kMostLooks)));
  Index counted = 0, looked_at = 0;
  for (Index y = core.y; y < core.y + core.height; y += step)
    for (Index x = core.x; x < core.x + core.width; x += step, ++looked_at)
      counted += areas.count({static_cast<double>(x), static_cast<double>(y)}) ? 1 : 0;
  return all * static_cast<double>(counted) / static_cast<double>(looked_at);
}

}  // namespace nucdet::program
