#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "nucdet/core/error.hpp"
#include "nucdet/io/annotation_store.hpp"

/// Any bytes, as an AnnotationStore: finite points, with a class each or none at all, or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const nucdet::io::Annotations found =
        nucdet::io::parse_annotation_store(std::as_bytes(std::span(data, size)), "fuzz");
    for (const nucdet::Point& p : found.points)
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) std::abort();
    if (!found.classes.empty() && found.classes.size() != found.points.size()) std::abort();
  } catch (const nucdet::IoError&) {}
  return 0;
}
