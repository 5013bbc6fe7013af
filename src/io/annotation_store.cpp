#include "nucdet/io/annotation_store.hpp"

#include "nucdet/core/error.hpp"

namespace nucdet::io {

Annotations read_annotation_store(const std::filesystem::path& path) {
  throw IoError(message(path.string(), ": AnnotationStores are not read yet"));
}

void write_annotation_store(const std::filesystem::path& path, const Annotations&) {
  throw IoError(message(path.string(), ": AnnotationStores are not written yet"));
}

}  // namespace nucdet::io
