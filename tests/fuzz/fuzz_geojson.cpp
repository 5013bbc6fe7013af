#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "nucdet/core/error.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/io/json.hpp"

namespace {

void check(const nucdet::io::Annotations& found) {
  for (const nucdet::Point& p : found.points)
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) std::abort();
  if (!found.classes.empty() && found.classes.size() != found.points.size()) std::abort();
  for (const auto* areas : {&found.areas.regions, &found.areas.ignored})
    for (const nucdet::Area& area : *areas) {
      if (area.rings.empty()) std::abort();
      for (const auto& ring : area.rings)
        if (ring.empty() || !std::isfinite(ring[0].x)) std::abort();
    }
}

}  // namespace

/// Any text, as GeoJSON and as nucdet's JSON: finite points, with a class each or none at all, areas with corners, or
/// an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    check(nucdet::io::parse_geojson(text, "fuzz"));
  } catch (const nucdet::IoError&) {}
  try {
    check(nucdet::io::parse_detections_json(text, "fuzz"));
  } catch (const nucdet::IoError&) {}
  return 0;
}
