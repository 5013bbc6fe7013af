#include <cstdint>

#include "nucdet/core/error.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/io/json.hpp"

#include "check_annotations.hpp"

/// Any text, as GeoJSON and as nucdet's JSON: what check_annotations.hpp wants, or an IoError.
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
