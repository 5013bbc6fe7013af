#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "nucdet/core/error.hpp"
#include "nucdet/io/csv.hpp"

/// Any text: finite points or an IoError; a manifest or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const nucdet::Point& p : nucdet::io::parse_points(text, "fuzz"))
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) std::abort();
  } catch (const nucdet::IoError&) {}
  try {
    for (const auto& entry : nucdet::io::parse_manifest(text, "/nowhere", "fuzz"))
      if (!(entry.stated_scale() > 0)) std::abort();
  } catch (const nucdet::IoError&) {}
  return 0;
}
