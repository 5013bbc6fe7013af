#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nucdet/core/annotated_points.hpp"

/// Annotated nuclei in files: points as CSV (io/csv.hpp) or GeoJSON (io/geojson.hpp).
namespace nucdet::io {

/// The points of a file, in pixels of its image, and the names of their classes.
struct Annotations {
  std::vector<Point> points{};
  std::vector<std::string> classes{};  ///< as many as points, "" where it is not known; or empty: the file tells none
};

/// Reads a points file; one that ends in .geojson or .json is GeoJSON, any other CSV. Throws IoError.
Annotations read_annotations(const std::filesystem::path& path);

/// The names of all classes in these files, in alphabetical order, so that the order of the files does not matter.
/// Empty paths are passed over. Throws IoError, also for more than kMostClasses.
ClassNames read_class_names(std::span<const std::filesystem::path> paths);

/// The points with the numbers of their classes. Classes that are not among the names are unknown.
inline AnnotatedPoints numbered(Annotations annotations, const ClassNames& names) {
  return {std::move(annotations.points), names.find_all(annotations.classes)};
}

}  // namespace nucdet::io
