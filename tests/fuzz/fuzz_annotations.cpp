#include <cstdint>

#include "nucdet/core/error.hpp"

#include "check_annotations.hpp"

/// Any bytes, of any format: what check_annotations.hpp wants, or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const nucdet::io::Annotations found =
        nucdet::io::parse_annotation_bytes(std::as_bytes(std::span(data, size)), "fuzz", {.um_per_pixel = 0.5});
    check(found);
    if (found.format.empty()) std::abort();
  } catch (const nucdet::IoError&) {}
  return 0;
}
