#pragma once
#include <filesystem>

#include "nucdet/io/annotations.hpp"

/// TIAToolbox's AnnotationStore: a SQLite file.
namespace nucdet::io {

/// The points of a store, and their classes. Throws IoError.
Annotations read_annotation_store(const std::filesystem::path& path);

/// Points and classes as a store. Throws IoError.
void write_annotation_store(const std::filesystem::path& path, const Annotations& annotations);

}  // namespace nucdet::io
