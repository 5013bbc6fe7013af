#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "nucdet/io/annotations.hpp"
#include "nucdet/io/json.hpp"

/// TIAToolbox's AnnotationStore, a SQLite file (its class SQLiteStore, version 1.0.1). As TIAToolbox's own detectors
/// write them, positions are pixels of the slide at full size, (0, 0) the centre of the top left one: as ours. All
/// functions throw IoError, also where nucdet is built without SQLite.
namespace nucdet::io {

struct AnnotationStoreOptions {
  std::string class_name = "Nucleus";  ///< of nuclei without a class
  Point offset{};  ///< added to all positions: where the image's top left pixel lies in the slide it was cut from
};

/// Points with the properties "type" (the class), "score" and, of a class that the network tells, "class_probability";
/// their keys are UUIDs made from image and position. The metadata "nucdet" says what made it. Throws ArgumentError for
/// positions that are not within 1e9 pixels.
void write_annotation_store(const std::filesystem::path& path, const DetectionReport& report,
                            const AnnotationStoreOptions& options = {});
/// Points with their class as "type", areas as polygons of the types "Region*" and "Ignore*".
void write_annotation_store(const std::filesystem::path& path, const Annotations& annotations);

/// Points, and polygons at the centroid of their outer rings or, by the class, as areas (see parse_geojson). The class
/// is the property "type", or "class", or QuPath's "classification". Files may come from anywhere: nothing in them is
/// run.
Annotations read_annotation_store(const std::filesystem::path& path);
/// The same from memory; `where` names the source in errors.
Annotations parse_annotation_store(std::span<const std::byte> bytes, std::string_view where);

}  // namespace nucdet::io
