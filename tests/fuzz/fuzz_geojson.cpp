#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "nucdet/core/error.hpp"
#include "nucdet/io/geojson.hpp"

/// Any text: finite points, with a class each or none at all, or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const nucdet::io::Annotations found = nucdet::io::parse_geojson(text, "fuzz");
    for (const nucdet::Point& p : found.points)
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) std::abort();
    if (!found.classes.empty() && found.classes.size() != found.points.size()) std::abort();
  } catch (const nucdet::IoError&) {}
  return 0;
}
