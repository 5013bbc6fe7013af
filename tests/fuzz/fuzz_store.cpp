#include <cstdint>

#include "nucdet/core/error.hpp"
#include "nucdet/io/annotation_store.hpp"

#include "check_annotations.hpp"

/// Any bytes, as an AnnotationStore: what check_annotations.hpp wants, or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    check(nucdet::io::parse_annotation_store(std::as_bytes(std::span(data, size)), "fuzz"));
  } catch (const nucdet::IoError&) {}
  return 0;
}
